-- Running downgrade c47d9a10be25 -> 8e21b5f3c604

BEGIN;

SELECT undistribute_table('visits');

DROP TABLE visits;

UPDATE moontide.version SET version_num = '8e21b5f3c604' WHERE version_num = 'c47d9a10be25';

INSERT INTO moontide.log (revision, direction, outcome, started_at, finished_at, checksum, message, error, host, moontide_version) VALUES ('c47d9a10be25', 'downgrade', 'done', now(), clock_timestamp(), '...', 'Distribute visits.', NULL, NULL, '...');

COMMIT;

-- Running downgrade 8e21b5f3c604 -> 

BEGIN;

SELECT undistribute_table('events');

DROP TABLE events;

SELECT undistribute_table('countries');

DROP TABLE countries;

DELETE FROM moontide.version WHERE version_num = '8e21b5f3c604';

INSERT INTO moontide.log (revision, direction, outcome, started_at, finished_at, checksum, message, error, host, moontide_version) VALUES ('8e21b5f3c604', 'downgrade', 'done', now(), clock_timestamp(), '...', 'Create events.', NULL, NULL, '...');

COMMIT;

