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
INSERT INTO "access" VALUES('4c388476-320f-4120-8d05-6f3167d52db9','/','sp-fabrikam','Reader','5127255','@Resource[name] == ''it''''s''','registry_owner','2026-11-27 17:19:37.141766');
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0003');
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
, provenance TEXT, previous_hash VARCHAR(64) DEFAULT '' NOT NULL, hash VARCHAR(64) DEFAULT '' NOT NULL);
INSERT INTO "audit_log" VALUES(1,'2026-11-27 17:19:36.952569','registry_owner','init',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'ae045e5bb318369bdc6074e9d33bc1c69f7c9604d6a6a956a418cfc5276a8aef','a187996e58aae4abf6059a5265e1e6087f19818b082dd547621ab13c4b38e4f5');
INSERT INTO "audit_log" VALUES(2,'2026-11-27 17:19:36.981883','registry_owner','grant',NULL,NULL,NULL,NULL,NULL,NULL,'Owner at /subscriptions/0f7a1c52-6a0e-4c1e-9a55-1d8f6b3f2a01 to bob',NULL,'a187996e58aae4abf6059a5265e1e6087f19818b082dd547621ab13c4b38e4f5','838bce4c0631ae4e1331a427b5b48d6e42ef926b4363018caa8f06d798a8bb6e');
INSERT INTO "audit_log" VALUES(3,'2026-11-27 17:19:37.007721','registry_owner','grant',NULL,NULL,NULL,NULL,NULL,NULL,'Contributor at / to reader',NULL,'838bce4c0631ae4e1331a427b5b48d6e42ef926b4363018caa8f06d798a8bb6e','63c53e75b9cf370f2edcdde57ba69ab9f26cd23a1b09a469ca9c9a0609ecbb45');
INSERT INTO "audit_log" VALUES(4,'2026-11-27 17:19:37.032419','registry_owner','ungrant',NULL,NULL,NULL,NULL,NULL,NULL,'Contributor at / to reader',NULL,'63c53e75b9cf370f2edcdde57ba69ab9f26cd23a1b09a469ca9c9a0609ecbb45','003d7e3388b801e0ef2526839ca6501d77b752dfe78aa3fba786d8d9f8c55693');
INSERT INTO "audit_log" VALUES(5,'2026-11-27 17:19:37.057069','registry_owner','partner-add',NULL,'4567890',NULL,NULL,NULL,NULL,'{"agreement": null, "agreement_expires": null, "former_ids": ["3456789"], "former_names": [], "id": "4567890", "name": "Contoso Consulting", "principals": ["sp-contoso"], "replaced_by": null, "status": "active", "tenants": []}',NULL,'003d7e3388b801e0ef2526839ca6501d77b752dfe78aa3fba786d8d9f8c55693','6ce31e0955af459ff802ffaf5d4fa8188367de402ee9988cb6f9086528f88340');
INSERT INTO "audit_log" VALUES(6,'2026-11-27 17:19:37.079966','registry_owner','partner-add',NULL,'5127255',NULL,NULL,NULL,NULL,'{"agreement": null, "agreement_expires": null, "former_ids": [], "former_names": [], "id": "5127255", "name": "Fabrikam", "principals": [], "replaced_by": null, "status": "active", "tenants": []}',NULL,'6ce31e0955af459ff802ffaf5d4fa8188367de402ee9988cb6f9086528f88340','757698496415d21d6cac1259fb16ebe869a6b97477c7d873d8b91f8b5010c512');
INSERT INTO "audit_log" VALUES(7,'2026-11-27 17:19:37.088207','registry_owner','partner-rename',NULL,'5127255',NULL,NULL,NULL,NULL,'{"agreement": null, "agreement_expires": null, "former_ids": [], "former_names": ["Fabrikam"], "id": "5127255", "name": "Fabrikam Cloud Services", "principals": [], "replaced_by": null, "status": "active", "tenants": []}',NULL,'757698496415d21d6cac1259fb16ebe869a6b97477c7d873d8b91f8b5010c512','919aee94cc8a35763463a1a2aac9f5082ba93ac72abed27f796ab91425a85b3a');
INSERT INTO "audit_log" VALUES(8,'2026-11-27 17:19:37.096888','registry_owner','partner-add',NULL,'2345678',NULL,NULL,NULL,NULL,'{"agreement": null, "agreement_expires": null, "former_ids": [], "former_names": [], "id": "2345678", "name": "Northwind „Traders“ 北風; it''s", "principals": [], "replaced_by": null, "status": "active", "tenants": []}',NULL,'919aee94cc8a35763463a1a2aac9f5082ba93ac72abed27f796ab91425a85b3a','7c3b021e9621d587dc5549eed1255d33b184020999b57e48838114e4ee76e61d');
INSERT INTO "audit_log" VALUES(9,'2026-11-27 17:19:37.103863','registry_owner','partner-retire',NULL,'2345678',NULL,NULL,NULL,NULL,'{"agreement": null, "agreement_expires": null, "former_ids": [], "former_names": [], "id": "2345678", "name": "Northwind „Traders“ 北風; it''s", "principals": [], "replaced_by": "5127255", "status": "retired", "tenants": []}',NULL,'7c3b021e9621d587dc5549eed1255d33b184020999b57e48838114e4ee76e61d','c0cca1762c1bd74e0f2b9cec45e38bbc8ec0489bf96ca1e1e28befef5894c0ed');
INSERT INTO "audit_log" VALUES(10,'2026-11-27 17:19:37.110481','registry_owner','designate','0f7a1c52-6a0e-4c1e-9a55-1d8f6b3f2a01','4567890',NULL,NULL,1,NULL,NULL,NULL,'c0cca1762c1bd74e0f2b9cec45e38bbc8ec0489bf96ca1e1e28befef5894c0ed','cf48712385e34069ddcb5c0bc485bc2e006cdb9c2f66e8d0ce0931671f751e10');
INSERT INTO "audit_log" VALUES(11,'2026-11-27 17:19:37.118166','registry_owner','designate','0f7a1c52-6a0e-4c1e-9a55-1d8f6b3f2a02','4567890',NULL,NULL,1,NULL,NULL,NULL,'cf48712385e34069ddcb5c0bc485bc2e006cdb9c2f66e8d0ce0931671f751e10','ebf4164483495b0b095a37d6ad092dacfbad2466c1b9ef9468d54409e3db036a');
INSERT INTO "audit_log" VALUES(12,'2026-11-27 17:19:37.125199','registry_owner','withdraw','0f7a1c52-6a0e-4c1e-9a55-1d8f6b3f2a02',NULL,'4567890','4567890',2,NULL,NULL,NULL,'ebf4164483495b0b095a37d6ad092dacfbad2466c1b9ef9468d54409e3db036a','4cb395146374990ffcde3eeadcc431c376b11349ce31341eff04c5991528a86c');
INSERT INTO "audit_log" VALUES(13,'2026-11-27 17:19:37.136523','registry_owner','access-add','0f7a1c52-6a0e-4c1e-9a55-1d8f6b3f2a01','4567890',NULL,NULL,NULL,NULL,'Reader of sp-contoso at /subscriptions/0f7a1c52-6a0e-4c1e-9a55-1d8f6b3f2a01',NULL,'4cb395146374990ffcde3eeadcc431c376b11349ce31341eff04c5991528a86c','0613c096870f06c9c40661d1312d4f32ff0d00b0e4b413ce29272349dec3a2d9');
INSERT INTO "audit_log" VALUES(14,'2026-11-27 17:19:37.143557','registry_owner','access-add',NULL,'5127255',NULL,NULL,NULL,NULL,'Reader of sp-fabrikam at / if @Resource[name] == ''it''''s''',NULL,'0613c096870f06c9c40661d1312d4f32ff0d00b0e4b413ce29272349dec3a2d9','f5559105a7d8ac0bb6c476345962e78a58716243b739bf83e3b718ecdc3a083b');
INSERT INTO "audit_log" VALUES(15,'2026-11-27 17:19:37.155748','registry_owner','observe','0f7a1c52-6a0e-4c1e-9a55-1d8f6b3f2a02','5127255',NULL,NULL,2,NULL,'Fabrikam',NULL,'f5559105a7d8ac0bb6c476345962e78a58716243b739bf83e3b718ecdc3a083b','fc27c302e916d5b1d9a17ed0edadf14196dfc46324d6dcd70f21b0c6b7fdcc23');
INSERT INTO "audit_log" VALUES(16,'2026-11-27 17:19:37.163839','bob','designate','0f7a1c52-6a0e-4c1e-9a55-1d8f6b3f2a01','5127255','4567890',NULL,2,'estate/prod/payments',NULL,'{"actor":"bob","commit":"0f7a1c526a0e4c1e9a551d8f6b3f2a0112345678","provider":"github","ref":"refs/heads/main","repository":"woodgrove/estate","run_id":"42","run_url":"https://github.com/woodgrove/estate/actions/runs/42","verified":false}','fc27c302e916d5b1d9a17ed0edadf14196dfc46324d6dcd70f21b0c6b7fdcc23','2834ae4428a1cdd92a8d98afab042021ac0cb770a213eed1aeb6a1bdb77eedc0');
INSERT INTO "audit_log" VALUES(17,'2026-11-27 17:19:37.169869','bob','access-revoke','0f7a1c52-6a0e-4c1e-9a55-1d8f6b3f2a01','4567890',NULL,NULL,NULL,NULL,'Reader of sp-contoso at /subscriptions/0f7a1c52-6a0e-4c1e-9a55-1d8f6b3f2a01','{"actor":"bob","commit":"0f7a1c526a0e4c1e9a551d8f6b3f2a0112345678","provider":"github","ref":"refs/heads/main","repository":"woodgrove/estate","run_id":"42","run_url":"https://github.com/woodgrove/estate/actions/runs/42","verified":false}','2834ae4428a1cdd92a8d98afab042021ac0cb770a213eed1aeb6a1bdb77eedc0','213a3f256ef439c65153275fe81f17b2d080f2748e4f18097518b2f6467b2c4e');
INSERT INTO "audit_log" VALUES(18,'2026-11-27 17:19:37.174896','bob','confirm','0f7a1c52-6a0e-4c1e-9a55-1d8f6b3f2a01','5127255',NULL,NULL,2,NULL,'Fabrikam Cloud Services','{"actor":"bob","commit":"0f7a1c526a0e4c1e9a551d8f6b3f2a0112345678","provider":"github","ref":"refs/heads/main","repository":"woodgrove/estate","run_id":"42","run_url":"https://github.com/woodgrove/estate/actions/runs/42","verified":false}','213a3f256ef439c65153275fe81f17b2d080f2748e4f18097518b2f6467b2c4e','54a829c5c9fb0e74cc768dd9ef413f3966e267fa1dfd9fba25461086bae5e787');
INSERT INTO "audit_log" VALUES(19,'2026-11-27 17:19:37.178432','bob','refuse',NULL,NULL,NULL,NULL,NULL,NULL,'rename partner 4567890: bob may not rename partner 4567890: only a Global Administrator may; see who is one with: dpor registry show','{"actor":"bob","commit":"0f7a1c526a0e4c1e9a551d8f6b3f2a0112345678","provider":"github","ref":"refs/heads/main","repository":"woodgrove/estate","run_id":"42","run_url":"https://github.com/woodgrove/estate/actions/runs/42","verified":false}','54a829c5c9fb0e74cc768dd9ef413f3966e267fa1dfd9fba25461086bae5e787','a3c9431bb30778a0d612ddc9dfa38d97263ac395f69ee497e2d54097f49759e7');
INSERT INTO "audit_log" VALUES(20,'2026-11-27 17:19:37.183935','registry_owner','partner-agreement',NULL,'4567890',NULL,NULL,NULL,NULL,'{"agreement": "DSA-1", "agreement_expires": "2027-06-30", "former_ids": ["3456789"], "former_names": [], "id": "4567890", "name": "Contoso Consulting", "principals": ["sp-contoso"], "replaced_by": null, "status": "active", "tenants": []}',NULL,'a3c9431bb30778a0d612ddc9dfa38d97263ac395f69ee497e2d54097f49759e7','5a9ee3add49896ed996c09c033de70886b3566777c081093541d0b86360ee9ff');
INSERT INTO "audit_log" VALUES(21,'2026-11-27 17:19:37.217287','registry_owner','partner-renumber',NULL,'4567891',NULL,NULL,NULL,NULL,'{"agreement": "DSA-1", "agreement_expires": "2027-06-30", "former_ids": ["3456789", "4567890"], "former_names": [], "id": "4567891", "name": "Contoso Consulting", "principals": ["sp-contoso"], "replaced_by": null, "status": "active", "tenants": []}',NULL,'5a9ee3add49896ed996c09c033de70886b3566777c081093541d0b86360ee9ff','04428e2ce5dd80016e8fcd690419bfa5ffeb3cd0381d73f331d223ff1a5f0e7e');
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
INSERT INTO "designations" VALUES('0f7a1c52-6a0e-4c1e-9a55-1d8f6b3f2a01','5127255','Fabrikam Cloud Services',2,'estate/prod/payments','4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f','5127255',0,1,'bob','2026-11-27 17:19:37.162230',NULL);
INSERT INTO "designations" VALUES('0f7a1c52-6a0e-4c1e-9a55-1d8f6b3f2a02',NULL,NULL,2,NULL,NULL,NULL,0,0,'registry_owner','2026-11-27 17:19:37.123870','4567890');
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
	tenants JSON NOT NULL, agreement TEXT, agreement_expires DATE, 
	CONSTRAINT pk_partners PRIMARY KEY (id)
);
INSERT INTO "partners" VALUES('5127255','Fabrikam Cloud Services','[]','["Fabrikam"]','active',NULL,'[]','[]',NULL,NULL);
INSERT INTO "partners" VALUES('2345678','Northwind „Traders“ 北風; it''s','[]','[]','retired','5127255','[]','[]',NULL,NULL);
INSERT INTO "partners" VALUES('4567891','Contoso Consulting','["3456789", "4567890"]','[]','active',NULL,'["sp-contoso"]','[]','DSA-1','2027-06-30');
CREATE TABLE registry (
	id VARCHAR(36) NOT NULL, 
	created_at DATETIME NOT NULL, 
	CONSTRAINT pk_registry PRIMARY KEY (id)
);
INSERT INTO "registry" VALUES('e832a8cd-767d-4f02-a59b-c709adb89867','2026-11-27 17:19:36.951011');
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
INSERT INTO "removed_access" VALUES('9b32df33-9f31-404a-bc3d-1badb4125386','0f7a1c52-6a0e-4c1e-9a55-1d8f6b3f2a01','/subscriptions/0f7a1c52-6a0e-4c1e-9a55-1d8f6b3f2a01','sp-contoso','Reader','4567890',NULL,'registry_owner','2026-11-27 17:19:37.134147','bob','2026-11-27 17:19:37.168290','2026-11-23 12:30:00.000000',NULL);
CREATE INDEX ix_audit_log_former_partner_id ON audit_log (former_partner_id);
CREATE INDEX ix_audit_log_subscription_id ON audit_log (subscription_id, sequence);
CREATE INDEX ix_removed_access_subscription_id ON removed_access (subscription_id);
CREATE UNIQUE INDEX ix_audit_log_previous_hash ON audit_log (previous_hash);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('audit_log',21);
COMMIT;
