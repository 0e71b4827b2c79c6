-- The store of a review. Times are seconds since 1970 (UTC); lists are JSON.
-- `decisions` only ever grows: who said what and when. `voices` is what counts now, and can be
-- worked out again from the decisions.
CREATE TABLE IF NOT EXISTS settings (
  name TEXT PRIMARY KEY,
  value TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS people (
  name TEXT PRIMARY KEY,
  role TEXT NOT NULL CHECK (role IN ('first', 'second', 'admin')),
  added_s REAL NOT NULL
) WITHOUT ROWID;

-- `flagged`: 2 where a user of the chat called an answer wrong, else 1 where the fact check found
-- something. `version`: a hash of text and labels, and the round if the item was reopened.
-- The dialogue is the last column, so that the queue reads the short ones without it.
CREATE TABLE IF NOT EXISTS items (
  id INTEGER PRIMARY KEY,
  clip TEXT NOT NULL UNIQUE,
  version TEXT NOT NULL,
  present INTEGER NOT NULL,
  failed INTEGER NOT NULL,
  wrong INTEGER NOT NULL DEFAULT 0,
  flagged INTEGER NOT NULL,
  doubt REAL NOT NULL,
  uncertainty REAL NOT NULL,
  rarity REAL NOT NULL DEFAULT 0,
  audit REAL NOT NULL,
  first_voices INTEGER NOT NULL DEFAULT 0,
  second_voices INTEGER NOT NULL DEFAULT 0,
  open_first INTEGER NOT NULL DEFAULT 0,
  open_second INTEGER NOT NULL DEFAULT 0,
  open_settle INTEGER NOT NULL DEFAULT 0,
  state TEXT NOT NULL DEFAULT 'unreviewed',
  gold TEXT,
  labels TEXT NOT NULL,
  scope TEXT NOT NULL,
  dialogue TEXT NOT NULL
);
-- The queue passes over what a person has done without reading the rows: all it needs is in here.
CREATE INDEX IF NOT EXISTS first_queue ON items (
  flagged DESC, uncertainty DESC, rarity DESC, audit, version, first_voices) WHERE open_first = 1;
CREATE INDEX IF NOT EXISTS second_queue ON items (
  flagged DESC, uncertainty DESC, rarity DESC, audit, version, second_voices) WHERE open_second = 1;
CREATE INDEX IF NOT EXISTS settle_queue ON items (
  flagged DESC, uncertainty DESC, rarity DESC, audit, version) WHERE open_settle = 1;
CREATE INDEX IF NOT EXISTS first_audit ON items (audit, version, first_voices) WHERE open_first = 1;
CREATE INDEX IF NOT EXISTS second_audit ON items (audit, version, second_voices) WHERE open_second = 1;
CREATE INDEX IF NOT EXISTS gold_queue ON items (audit) WHERE gold IS NOT NULL;

CREATE TABLE IF NOT EXISTS decisions (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  item INTEGER NOT NULL REFERENCES items (id),
  person TEXT NOT NULL REFERENCES people (name),
  stage TEXT NOT NULL CHECK (stage IN ('first', 'second')),
  settles INTEGER NOT NULL,
  action TEXT NOT NULL CHECK (action IN ('accept', 'edit', 'reject', 'undo')),
  undoes INTEGER REFERENCES decisions (id),
  text TEXT,
  reason TEXT,
  occurrences TEXT,
  version TEXT NOT NULL,
  time_s REAL NOT NULL,
  duration_ms INTEGER,
  origin TEXT UNIQUE
);
CREATE INDEX IF NOT EXISTS decisions_of ON decisions (item, person);
CREATE INDEX IF NOT EXISTS decisions_by ON decisions (person, time_s);
CREATE TRIGGER IF NOT EXISTS decisions_stay BEFORE DELETE ON decisions
BEGIN SELECT RAISE(ABORT, 'a decision is never deleted'); END;
CREATE TRIGGER IF NOT EXISTS decisions_are_fixed BEFORE UPDATE ON decisions
BEGIN SELECT RAISE(ABORT, 'a decision is never changed'); END;

CREATE TABLE IF NOT EXISTS voices (
  item INTEGER NOT NULL REFERENCES items (id),
  person TEXT NOT NULL REFERENCES people (name),
  version TEXT NOT NULL,
  decision INTEGER NOT NULL REFERENCES decisions (id),
  PRIMARY KEY (item, person)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS voices_by ON voices (person, decision);

CREATE TABLE IF NOT EXISTS leases (
  item INTEGER NOT NULL REFERENCES items (id),
  person TEXT NOT NULL REFERENCES people (name),
  stage TEXT NOT NULL,
  skipped INTEGER NOT NULL DEFAULT 0,
  until_s REAL NOT NULL,
  PRIMARY KEY (item, person)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS leases_by ON leases (person);

-- What users of the chat said of answers about a clip.
CREATE TABLE IF NOT EXISTS feedback (
  key TEXT PRIMARY KEY,
  item INTEGER NOT NULL REFERENCES items (id),
  verdict TEXT NOT NULL CHECK (verdict IN ('helpful', 'wrong')),
  note TEXT,
  turn TEXT,
  answer TEXT,
  time TEXT
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS feedback_of ON feedback (item);
