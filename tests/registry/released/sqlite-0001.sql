PRAGMA application_id = 1146113874;
BEGIN TRANSACTION;
CREATE TABLE access (
	id VARCHAR(36) NOT NULL, 
	scope TEXT NOT NULL, 
	principal TEXT NOT NULL, 
	role TEXT NOT NULL, 
	partner_id VARCHAR(32) NOT NULL, 
	condition TEXT, 
	granted_by TEXT NOT NULL, 
	granted_at DATETIME NOT NULL, 
	CONSTRAINT pk_access PRIMARY KEY (id), 
	CONSTRAINT uq_access_scope UNIQUE (scope, principal, role)
);
INSERT INTO "access" VALUES('dbe9b946-6154-4e55-ab58-54305dfaa24e','/','sp-fabrikam','Reader','5127255','@Resource[name] == ''it''''s''','registry_owner','2026-11-27 17:19:35.025818');
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0001');
CREATE TABLE audit_log (
	sequence INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	at DATETIME NOT NULL, 
	actor TEXT NOT NULL, 
	action VARCHAR(32) NOT NULL, 
	subscription_id VARCHAR(36), 
	partner_id VARCHAR(32), 
	previous_partner_id VARCHAR(32), 
	former_partner_id VARCHAR(32), 
	version INTEGER, 
	managed_by TEXT, 
	detail TEXT
);
INSERT INTO "audit_log" VALUES(1,'2026-11-27 17:19:34.822906','registry_owner','init',NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "audit_log" VALUES(2,'2026-11-27 17:19:34.848860','registry_owner','grant',NULL,NULL,NULL,NULL,NULL,NULL,'Owner at /subscriptions/0f7a1c52-6a0e-4c1e-9a55-1d8f6b3f2a01 to bob');
INSERT INTO "audit_log" VALUES(3,'2026-11-27 17:19:34.867338','registry_owner','grant',NULL,NULL,NULL,NULL,NULL,NULL,'Contributor at / to reader');
INSERT INTO "audit_log" VALUES(4,'2026-11-27 17:19:34.884592','registry_owner','ungrant',NULL,NULL,NULL,NULL,NULL,NULL,'Contributor at / to reader');
INSERT INTO "audit_log" VALUES(5,'2026-11-27 17:19:34.888915','registry_owner','partner-add',NULL,'4567890',NULL,NULL,NULL,NULL,'{"former_ids": ["3456789"], "former_names": [], "id": "4567890", "name": "Contoso Consulting", "principals": ["sp-contoso"], "replaced_by": null, "status": "active", "tenants": []}');
INSERT INTO "audit_log" VALUES(6,'2026-11-27 17:19:34.892360','registry_owner','partner-add',NULL,'5127255',NULL,NULL,NULL,NULL,'{"former_ids": [], "former_names": [], "id": "5127255", "name": "Fabrikam", "principals": [], "replaced_by": null, "status": "active", "tenants": []}');
INSERT INTO "audit_log" VALUES(7,'2026-11-27 17:19:34.901117','registry_owner','partner-rename',NULL,'5127255',NULL,NULL,NULL,NULL,'{"former_ids": [], "former_names": ["Fabrikam"], "id": "5127255", "name": "Fabrikam Cloud Services", "principals": [], "replaced_by": null, "status": "active", "tenants": []}');
INSERT INTO "audit_log" VALUES(8,'2026-11-27 17:19:34.918118','registry_owner','partner-add',NULL,'2345678',NULL,NULL,NULL,NULL,'{"former_ids": [], "former_names": [], "id": "2345678", "name": "Northwind „Traders“ 北風; it''s", "principals": [], "replaced_by": null, "status": "active", "tenants": []}');
INSERT INTO "audit_log" VALUES(9,'2026-11-27 17:19:34.936363','registry_owner','partner-retire',NULL,'2345678',NULL,NULL,NULL,NULL,'{"former_ids": [], "former_names": [], "id": "2345678", "name": "Northwind „Traders“ 北風; it''s", "principals": [], "replaced_by": "5127255", "status": "retired", "tenants": []}');
INSERT INTO "audit_log" VALUES(10,'2026-11-27 17:19:34.957598','registry_owner','designate','0f7a1c52-6a0e-4c1e-9a55-1d8f6b3f2a01','4567890',NULL,NULL,1,NULL,NULL);
INSERT INTO "audit_log" VALUES(11,'2026-11-27 17:19:34.980105','registry_owner','designate','0f7a1c52-6a0e-4c1e-9a55-1d8f6b3f2a02','4567890',NULL,NULL,1,NULL,NULL);
INSERT INTO "audit_log" VALUES(12,'2026-11-27 17:19:34.988667','registry_owner','withdraw','0f7a1c52-6a0e-4c1e-9a55-1d8f6b3f2a02',NULL,'4567890','4567890',2,NULL,NULL);
INSERT INTO "audit_log" VALUES(13,'2026-11-27 17:19:35.008562','registry_owner','access-add','0f7a1c52-6a0e-4c1e-9a55-1d8f6b3f2a01','4567890',NULL,NULL,NULL,NULL,'Reader of sp-contoso at /subscriptions/0f7a1c52-6a0e-4c1e-9a55-1d8f6b3f2a01');
INSERT INTO "audit_log" VALUES(14,'2026-11-27 17:19:35.027767','registry_owner','access-add',NULL,'5127255',NULL,NULL,NULL,NULL,'Reader of sp-fabrikam at / if @Resource[name] == ''it''''s''');
INSERT INTO "audit_log" VALUES(15,'2026-11-27 17:19:35.047189','registry_owner','observe','0f7a1c52-6a0e-4c1e-9a55-1d8f6b3f2a02','5127255',NULL,NULL,2,NULL,'Fabrikam');
INSERT INTO "audit_log" VALUES(16,'2026-11-27 17:19:35.064502','bob','designate','0f7a1c52-6a0e-4c1e-9a55-1d8f6b3f2a01','5127255','4567890',NULL,2,'estate/prod/payments',NULL);
INSERT INTO "audit_log" VALUES(17,'2026-11-27 17:19:35.077316','bob','access-revoke','0f7a1c52-6a0e-4c1e-9a55-1d8f6b3f2a01','4567890',NULL,NULL,NULL,NULL,'Reader of sp-contoso at /subscriptions/0f7a1c52-6a0e-4c1e-9a55-1d8f6b3f2a01');
INSERT INTO "audit_log" VALUES(18,'2026-11-27 17:19:35.082413','bob','confirm','0f7a1c52-6a0e-4c1e-9a55-1d8f6b3f2a01','5127255',NULL,NULL,2,NULL,'Fabrikam Cloud Services');
INSERT INTO "audit_log" VALUES(19,'2026-11-27 17:19:35.090278','bob','refuse',NULL,NULL,NULL,NULL,NULL,NULL,'rename partner 4567890: bob may not rename partner 4567890: only a Global Administrator may; see who is one with: dpor registry show');
CREATE TABLE designations (
	subscription_id VARCHAR(36) NOT NULL, 
	partner_id VARCHAR(32), 
	partner_name TEXT, 
	version INTEGER NOT NULL, 
	managed_by TEXT, 
	claim VARCHAR(64), 
	written_partner_id VARCHAR(32), 
	adopted BOOLEAN NOT NULL, 
	effective BOOLEAN NOT NULL, 
	designated_by TEXT NOT NULL, 
	designated_at DATETIME NOT NULL, 
	former_partner_id VARCHAR(32), 
	CONSTRAINT pk_designations PRIMARY KEY (subscription_id)
);
INSERT INTO "designations" VALUES('0f7a1c52-6a0e-4c1e-9a55-1d8f6b3f2a01','5127255','Fabrikam Cloud Services',2,'estate/prod/payments','4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f','5127255',0,1,'bob','2026-11-27 17:19:35.063296',NULL);
INSERT INTO "designations" VALUES('0f7a1c52-6a0e-4c1e-9a55-1d8f6b3f2a02',NULL,NULL,2,NULL,NULL,NULL,0,0,'registry_owner','2026-11-27 17:19:34.987432','4567890');
CREATE TABLE grants (
	principal TEXT NOT NULL, 
	role VARCHAR(64) NOT NULL, 
	scope TEXT NOT NULL, 
	CONSTRAINT pk_grants PRIMARY KEY (principal, role, scope)
);
INSERT INTO "grants" VALUES('registry_owner','Global Administrator','/');
INSERT INTO "grants" VALUES('bob','Owner','/subscriptions/0f7a1c52-6a0e-4c1e-9a55-1d8f6b3f2a01');
CREATE TABLE observations (
	subscription_id VARCHAR(36) NOT NULL, 
	partner_id VARCHAR(32), 
	partner_name TEXT, 
	observed_by TEXT NOT NULL, 
	observed_at DATETIME NOT NULL, 
	CONSTRAINT pk_observations PRIMARY KEY (subscription_id)
);
INSERT INTO "observations" VALUES('0f7a1c52-6a0e-4c1e-9a55-1d8f6b3f2a02','5127255','Fabrikam','registry_owner','2026-11-23 12:30:00.000000');
INSERT INTO "observations" VALUES('0f7a1c52-6a0e-4c1e-9a55-1d8f6b3f2a01','5127255','Fabrikam Cloud Services','bob','2026-11-23 12:30:00.000000');
CREATE TABLE partners (
	id VARCHAR(32) NOT NULL, 
	name TEXT NOT NULL, 
	former_ids JSON NOT NULL, 
	former_names JSON NOT NULL, 
	status VARCHAR(16) NOT NULL, 
	replaced_by VARCHAR(32), 
	principals JSON NOT NULL, 
	tenants JSON NOT NULL, 
	CONSTRAINT pk_partners PRIMARY KEY (id)
);
INSERT INTO "partners" VALUES('4567890','Contoso Consulting','["3456789"]','[]','active',NULL,'["sp-contoso"]','[]');
INSERT INTO "partners" VALUES('5127255','Fabrikam Cloud Services','[]','["Fabrikam"]','active',NULL,'[]','[]');
INSERT INTO "partners" VALUES('2345678','Northwind „Traders“ 北風; it''s','[]','[]','retired','5127255','[]','[]');
CREATE TABLE registry (
	id VARCHAR(36) NOT NULL, 
	created_at DATETIME NOT NULL, 
	CONSTRAINT pk_registry PRIMARY KEY (id)
);
INSERT INTO "registry" VALUES('2d8774f4-9f19-4988-9362-00e42e5fc314','2026-11-27 17:19:34.821536');
CREATE TABLE removed_access (
	id VARCHAR(36) NOT NULL, 
	subscription_id VARCHAR(36) NOT NULL, 
	scope TEXT NOT NULL, 
	principal TEXT NOT NULL, 
	role TEXT NOT NULL, 
	partner_id VARCHAR(32) NOT NULL, 
	condition TEXT, 
	granted_by TEXT NOT NULL, 
	granted_at DATETIME NOT NULL, 
	removed_by TEXT NOT NULL, 
	removed_at DATETIME NOT NULL, 
	carried_out_at DATETIME, 
	restored_at DATETIME, 
	CONSTRAINT pk_removed_access PRIMARY KEY (id)
);
INSERT INTO "removed_access" VALUES('2038a743-66ef-42e9-a1d5-226405af7e7e','0f7a1c52-6a0e-4c1e-9a55-1d8f6b3f2a01','/subscriptions/0f7a1c52-6a0e-4c1e-9a55-1d8f6b3f2a01','sp-contoso','Reader','4567890',NULL,'registry_owner','2026-11-27 17:19:35.006406','bob','2026-11-27 17:19:35.075831','2026-11-23 12:30:00.000000',NULL);
CREATE INDEX ix_audit_log_former_partner_id ON audit_log (former_partner_id);
CREATE INDEX ix_audit_log_subscription_id ON audit_log (subscription_id, sequence);
CREATE INDEX ix_removed_access_subscription_id ON removed_access (subscription_id);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('audit_log',19);
COMMIT;
