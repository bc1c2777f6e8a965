-- Running downgrade c47d9a10be25 -> 8e21b5f3c604

BEGIN;

SELECT undistribute_table('visits');

DROP TABLE visits;

UPDATE moontide.version SET version_num = '8e21b5f3c604' WHERE version_num = 'c47d9a10be25';

COMMIT;

-- Running downgrade 8e21b5f3c604 -> 

BEGIN;

SELECT undistribute_table('events');

DROP TABLE events;

SELECT undistribute_table('countries');

DROP TABLE countries;

DELETE FROM moontide.version WHERE version_num = '8e21b5f3c604';

COMMIT;

