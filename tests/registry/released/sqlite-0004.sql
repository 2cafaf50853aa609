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
INSERT INTO "access" VALUES('5282987d-d442-41c3-ae0c-c58e53a19986','/','sp-fabrikam','Reader','5127255','@Resource[name] == ''it''''s''','registry_owner','2026-11-27 17:19:41.857928');
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0004');
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
INSERT INTO "audit_log" VALUES(1,'2026-11-27 17:19:41.557861','registry_owner','init',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'13158a6e5351945a6a60df8903eaff3cb82ec41d181790aa17c60786958a0667','ce2b2da3e4fbf48c178ea996a927a8dcd4d6baaa1e13a0653ada1499394b3bb9');
INSERT INTO "audit_log" VALUES(2,'2026-11-27 17:19:41.588083','registry_owner','grant',NULL,NULL,NULL,NULL,NULL,NULL,'Owner at /subscriptions/0f7a1c52-6a0e-4c1e-9a55-1d8f6b3f2a01 to bob',NULL,'ce2b2da3e4fbf48c178ea996a927a8dcd4d6baaa1e13a0653ada1499394b3bb9','141a442128400dbfa3cfb3d4656277b6aee0a1f1da0445314aa68f37ae54a761');
INSERT INTO "audit_log" VALUES(3,'2026-11-27 17:19:41.615891','registry_owner','grant',NULL,NULL,NULL,NULL,NULL,NULL,'Contributor at / to reader',NULL,'141a442128400dbfa3cfb3d4656277b6aee0a1f1da0445314aa68f37ae54a761','22f4430d1b7de18f6051b0fb571d1ff2e947aeb7cead07ebdab6789829a55ae4');
INSERT INTO "audit_log" VALUES(4,'2026-11-27 17:19:41.640762','registry_owner','ungrant',NULL,NULL,NULL,NULL,NULL,NULL,'Contributor at / to reader',NULL,'22f4430d1b7de18f6051b0fb571d1ff2e947aeb7cead07ebdab6789829a55ae4','64f2c0419cc3dc48a00ef927790df97808774f76dbeb48a41e52307f6a01b361');
INSERT INTO "audit_log" VALUES(5,'2026-11-27 17:19:41.674627','registry_owner','partner-add',NULL,'4567890',NULL,NULL,NULL,NULL,'{"agreement": null, "agreement_expires": null, "former_ids": ["3456789"], "former_names": [], "id": "4567890", "name": "Contoso Consulting", "principals": ["sp-contoso"], "replaced_by": null, "status": "active", "tenants": []}',NULL,'64f2c0419cc3dc48a00ef927790df97808774f76dbeb48a41e52307f6a01b361','1d5a79dc620a7fd3203c1143eb128de8c83d1ded101d1d70eaa0a8a5e9ca0277');
INSERT INTO "audit_log" VALUES(6,'2026-11-27 17:19:41.696103','registry_owner','partner-add',NULL,'5127255',NULL,NULL,NULL,NULL,'{"agreement": null, "agreement_expires": null, "former_ids": [], "former_names": [], "id": "5127255", "name": "Fabrikam", "principals": [], "replaced_by": null, "status": "active", "tenants": []}',NULL,'1d5a79dc620a7fd3203c1143eb128de8c83d1ded101d1d70eaa0a8a5e9ca0277','e1ee92e1151a252144f852c52d0fb259ddd6e36a3ea8d88bcf209763f0956797');
INSERT INTO "audit_log" VALUES(7,'2026-11-27 17:19:41.725524','registry_owner','partner-rename',NULL,'5127255',NULL,NULL,NULL,NULL,'{"agreement": null, "agreement_expires": null, "former_ids": [], "former_names": ["Fabrikam"], "id": "5127255", "name": "Fabrikam Cloud Services", "principals": [], "replaced_by": null, "status": "active", "tenants": []}',NULL,'e1ee92e1151a252144f852c52d0fb259ddd6e36a3ea8d88bcf209763f0956797','f39bbc1d28039712e3e4abd6c01c340c1797bd34d64aacaa5c5b35d81ae591c0');
INSERT INTO "audit_log" VALUES(8,'2026-11-27 17:19:41.747777','registry_owner','partner-add',NULL,'2345678',NULL,NULL,NULL,NULL,'{"agreement": null, "agreement_expires": null, "former_ids": [], "former_names": [], "id": "2345678", "name": "Northwind „Traders“ 北風; it''s", "principals": [], "replaced_by": null, "status": "active", "tenants": []}',NULL,'f39bbc1d28039712e3e4abd6c01c340c1797bd34d64aacaa5c5b35d81ae591c0','fa7ac40caf2b2d059b8c76f94afa84f1ca001344f4f774a8dd050096ff769dc3');
INSERT INTO "audit_log" VALUES(9,'2026-11-27 17:19:41.776198','registry_owner','partner-retire',NULL,'2345678',NULL,NULL,NULL,NULL,'{"agreement": null, "agreement_expires": null, "former_ids": [], "former_names": [], "id": "2345678", "name": "Northwind „Traders“ 北風; it''s", "principals": [], "replaced_by": "5127255", "status": "retired", "tenants": []}',NULL,'fa7ac40caf2b2d059b8c76f94afa84f1ca001344f4f774a8dd050096ff769dc3','ca387667688b9c7a1886de205e7769e0d7ebeedd6aacd445b83b56a5c0d27d82');
INSERT INTO "audit_log" VALUES(10,'2026-11-27 17:19:41.801377','registry_owner','designate','0f7a1c52-6a0e-4c1e-9a55-1d8f6b3f2a01','4567890',NULL,NULL,1,NULL,NULL,NULL,'ca387667688b9c7a1886de205e7769e0d7ebeedd6aacd445b83b56a5c0d27d82','ad2fbfb824430b147e2fbfeaffedc100069b0421836a9c4ac2139c0abc439f6a');
INSERT INTO "audit_log" VALUES(11,'2026-11-27 17:19:41.829137','registry_owner','designate','0f7a1c52-6a0e-4c1e-9a55-1d8f6b3f2a02','4567890',NULL,NULL,1,NULL,NULL,NULL,'ad2fbfb824430b147e2fbfeaffedc100069b0421836a9c4ac2139c0abc439f6a','0ffa304e6d725a7d53a34d8cd1b38cea29000a5d86e8149534532611a0ff07a8');
INSERT INTO "audit_log" VALUES(12,'2026-11-27 17:19:41.834246','registry_owner','withdraw','0f7a1c52-6a0e-4c1e-9a55-1d8f6b3f2a02',NULL,'4567890','4567890',2,NULL,NULL,NULL,'0ffa304e6d725a7d53a34d8cd1b38cea29000a5d86e8149534532611a0ff07a8','abbbcac373aec328001cc783802c3202f59299ad0bf640d115b796fee4fb8ed3');
INSERT INTO "audit_log" VALUES(13,'2026-11-27 17:19:41.843015','registry_owner','access-add','0f7a1c52-6a0e-4c1e-9a55-1d8f6b3f2a01','4567890',NULL,NULL,NULL,NULL,'Reader of sp-contoso at /subscriptions/0f7a1c52-6a0e-4c1e-9a55-1d8f6b3f2a01',NULL,'abbbcac373aec328001cc783802c3202f59299ad0bf640d115b796fee4fb8ed3','d107edcfb6d4d3bac685b3ef33a049bd93a18518c17cee6313d47297c961a10b');
INSERT INTO "audit_log" VALUES(14,'2026-11-27 17:19:41.859661','registry_owner','access-add',NULL,'5127255',NULL,NULL,NULL,NULL,'Reader of sp-fabrikam at / if @Resource[name] == ''it''''s''',NULL,'d107edcfb6d4d3bac685b3ef33a049bd93a18518c17cee6313d47297c961a10b','65cb4c2075e2bc33c227f2f48edf23ad22faf7611535dd33b654b14efa820140');
INSERT INTO "audit_log" VALUES(15,'2026-11-27 17:19:41.886894','registry_owner','observe','0f7a1c52-6a0e-4c1e-9a55-1d8f6b3f2a02','5127255',NULL,NULL,2,NULL,'Fabrikam',NULL,'65cb4c2075e2bc33c227f2f48edf23ad22faf7611535dd33b654b14efa820140','5bd3589de7433523f2588159fa9fe32fbebd78e974fffb058237abdbec5bd281');
INSERT INTO "audit_log" VALUES(16,'2026-11-27 17:19:41.912587','bob','designate','0f7a1c52-6a0e-4c1e-9a55-1d8f6b3f2a01','5127255','4567890',NULL,2,'estate/prod/payments',NULL,'{"actor":"bob","commit":"0f7a1c526a0e4c1e9a551d8f6b3f2a0112345678","provider":"github","ref":"refs/heads/main","repository":"woodgrove/estate","run_id":"42","run_url":"https://github.com/woodgrove/estate/actions/runs/42","verified":false}','5bd3589de7433523f2588159fa9fe32fbebd78e974fffb058237abdbec5bd281','f51a50f0990940421ae22479b94bf578e59911644f7b1f91feb96b0f5951eedb');
INSERT INTO "audit_log" VALUES(17,'2026-11-27 17:19:41.936897','bob','access-revoke','0f7a1c52-6a0e-4c1e-9a55-1d8f6b3f2a01','4567890',NULL,NULL,NULL,NULL,'Reader of sp-contoso at /subscriptions/0f7a1c52-6a0e-4c1e-9a55-1d8f6b3f2a01','{"actor":"bob","commit":"0f7a1c526a0e4c1e9a551d8f6b3f2a0112345678","provider":"github","ref":"refs/heads/main","repository":"woodgrove/estate","run_id":"42","run_url":"https://github.com/woodgrove/estate/actions/runs/42","verified":false}','f51a50f0990940421ae22479b94bf578e59911644f7b1f91feb96b0f5951eedb','9b946fa24b501fb45e279b602374e00a57c7e85160a13ad1077dca7544638cfb');
INSERT INTO "audit_log" VALUES(18,'2026-11-27 17:19:41.971635','bob','confirm','0f7a1c52-6a0e-4c1e-9a55-1d8f6b3f2a01','5127255',NULL,NULL,2,NULL,'Fabrikam Cloud Services','{"actor":"bob","commit":"0f7a1c526a0e4c1e9a551d8f6b3f2a0112345678","provider":"github","ref":"refs/heads/main","repository":"woodgrove/estate","run_id":"42","run_url":"https://github.com/woodgrove/estate/actions/runs/42","verified":false}','9b946fa24b501fb45e279b602374e00a57c7e85160a13ad1077dca7544638cfb','170a551ca2f7ff2dd0e937122f7c50c5c7013bfafd1a0411cf68ca448fdc5fee');
INSERT INTO "audit_log" VALUES(19,'2026-11-27 17:19:41.996602','bob','refuse',NULL,NULL,NULL,NULL,NULL,NULL,'rename partner 4567890: bob may not rename partner 4567890: only a Global Administrator may; see who is one with: dpor registry show','{"actor":"bob","commit":"0f7a1c526a0e4c1e9a551d8f6b3f2a0112345678","provider":"github","ref":"refs/heads/main","repository":"woodgrove/estate","run_id":"42","run_url":"https://github.com/woodgrove/estate/actions/runs/42","verified":false}','170a551ca2f7ff2dd0e937122f7c50c5c7013bfafd1a0411cf68ca448fdc5fee','ca9c786b8220436ab1a07670b52ffc7d33aa49a7bf53d15ae04d4039cd9dd6a9');
INSERT INTO "audit_log" VALUES(20,'2026-11-27 17:19:42.019635','registry_owner','partner-agreement',NULL,'4567890',NULL,NULL,NULL,NULL,'{"agreement": "DSA-1", "agreement_expires": "2027-06-30", "former_ids": ["3456789"], "former_names": [], "id": "4567890", "name": "Contoso Consulting", "principals": ["sp-contoso"], "replaced_by": null, "status": "active", "tenants": []}',NULL,'ca9c786b8220436ab1a07670b52ffc7d33aa49a7bf53d15ae04d4039cd9dd6a9','870e1cd354ba7e4dbc3d92e337576f418761503c190f4384cddcfcc3dd3c67a9');
INSERT INTO "audit_log" VALUES(21,'2026-11-27 17:19:42.037378','registry_owner','partner-renumber',NULL,'4567891',NULL,NULL,NULL,NULL,'{"agreement": "DSA-1", "agreement_expires": "2027-06-30", "former_ids": ["3456789", "4567890"], "former_names": [], "id": "4567891", "name": "Contoso Consulting", "principals": ["sp-contoso"], "replaced_by": null, "status": "active", "tenants": []}',NULL,'870e1cd354ba7e4dbc3d92e337576f418761503c190f4384cddcfcc3dd3c67a9','07df988b2676d713a2cafd4fb2e5a6eff831f2aedd673f9b9125b12a5ae07e23');
INSERT INTO "audit_log" VALUES(22,'2026-11-27 17:19:42.053376','registry_owner','demand',NULL,NULL,NULL,NULL,NULL,NULL,'{"audience":"dpor","issuer":"https://issuer.example.com","repository_id":"74","scope":"/subscriptions/0f7a1c52-6a0e-4c1e-9a55-1d8f6b3f2a02"}',NULL,'07df988b2676d713a2cafd4fb2e5a6eff831f2aedd673f9b9125b12a5ae07e23','172df9c22368c3ffa8b6ecf1d01812af3b3a5c39165464e78f1e8accd33164ed');
CREATE TABLE demands (
	scope TEXT NOT NULL, 
	issuer TEXT NOT NULL, 
	audience TEXT NOT NULL, 
	repository_id TEXT, 
	owner_id TEXT, 
	repository TEXT, 
	workflow TEXT, 
	ref TEXT, 
	ref_protected TEXT, 
	environment TEXT, 
	environment_protected TEXT, 
	CONSTRAINT pk_demands PRIMARY KEY (scope)
);
INSERT INTO "demands" VALUES('/subscriptions/0f7a1c52-6a0e-4c1e-9a55-1d8f6b3f2a02','https://issuer.example.com','dpor','74',NULL,NULL,NULL,NULL,NULL,NULL,NULL);
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
INSERT INTO "designations" VALUES('0f7a1c52-6a0e-4c1e-9a55-1d8f6b3f2a01','5127255','Fabrikam Cloud Services',2,'estate/prod/payments','4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f','5127255',0,1,'bob','2026-11-27 17:19:41.911044',NULL);
INSERT INTO "designations" VALUES('0f7a1c52-6a0e-4c1e-9a55-1d8f6b3f2a02',NULL,NULL,2,NULL,NULL,NULL,0,0,'registry_owner','2026-11-27 17:19:41.833078','4567890');
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
INSERT INTO "registry" VALUES('085127f0-3654-44e4-ae4d-fec6c093f858','2026-11-27 17:19:41.556046');
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
INSERT INTO "removed_access" VALUES('e759fa7e-a887-4f8c-80ec-37f52a316ec9','0f7a1c52-6a0e-4c1e-9a55-1d8f6b3f2a01','/subscriptions/0f7a1c52-6a0e-4c1e-9a55-1d8f6b3f2a01','sp-contoso','Reader','4567890',NULL,'registry_owner','2026-11-27 17:19:41.840601','bob','2026-11-27 17:19:41.934760','2026-11-23 12:30:00.000000',NULL);
CREATE TABLE token_uses (
	issuer TEXT NOT NULL, 
	token_id TEXT NOT NULL, 
	principal TEXT NOT NULL, 
	expires_at DATETIME NOT NULL, 
	CONSTRAINT pk_token_uses PRIMARY KEY (issuer, token_id)
);
CREATE INDEX ix_audit_log_former_partner_id ON audit_log (former_partner_id);
CREATE INDEX ix_audit_log_subscription_id ON audit_log (subscription_id, sequence);
CREATE INDEX ix_removed_access_subscription_id ON removed_access (subscription_id);
CREATE UNIQUE INDEX ix_audit_log_previous_hash ON audit_log (previous_hash);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('audit_log',22);
COMMIT;
