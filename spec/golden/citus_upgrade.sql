-- Running upgrade  -> 8e21b5f3c604

BEGIN;

CREATE TABLE countries (
  code text PRIMARY KEY
);

SELECT create_reference_table('countries');

CREATE TABLE events (
  tenant_id bigint NOT NULL,
  id bigint NOT NULL,
  country text,
  PRIMARY KEY (tenant_id, id)
);

SELECT create_distributed_table('events', 'tenant_id', shard_count => 64);

INSERT INTO moontide.version (version_num) VALUES ('8e21b5f3c604');

COMMIT;

-- Running upgrade 8e21b5f3c604 -> c47d9a10be25

BEGIN;

CREATE TABLE visits (
  tenant_id bigint NOT NULL,
  at timestamp with time zone NOT NULL
);

COMMIT;

SELECT create_distributed_table_concurrently('visits', 'tenant_id', colocate_with => 'events');

BEGIN;

UPDATE moontide.version SET version_num = 'c47d9a10be25' WHERE version_num = '8e21b5f3c604';

COMMIT;

