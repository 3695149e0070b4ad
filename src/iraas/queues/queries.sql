-- The embedded queue's statements, each under its name. Parameters are named.
--
-- Times are boot time in seconds unless they are called wall. A message is
--   visible   while visible_at <= now,
--   in flight while visible_at >  now: leased to `owner`, whose receipt carries `fence`.
-- A message that is given back takes the place that its age gives it (visible_at = sent_at).

-- name: schema
CREATE TABLE IF NOT EXISTS message (
    seq        INTEGER PRIMARY KEY,         -- among those that live, in the order of sending
    queue      TEXT    NOT NULL,
    id         TEXT    NOT NULL,            -- '': never the same as another
    sent_at    REAL    NOT NULL,
    sent_wall  REAL    NOT NULL,            -- only carries the age over a restart of the machine
    visible_at REAL    NOT NULL,
    fence      INTEGER NOT NULL DEFAULT 0,  -- 0: no receipt is good
    receives   INTEGER NOT NULL DEFAULT 0,
    owner      TEXT    NOT NULL DEFAULT '',
    body       BLOB    NOT NULL             -- last, so that the rest is read without it
);
CREATE INDEX IF NOT EXISTS message_due ON message (queue, visible_at);
CREATE UNIQUE INDEX IF NOT EXISTS message_id ON message (queue, id) WHERE id <> '';
CREATE TABLE IF NOT EXISTS response_queue (name TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS boot (id TEXT NOT NULL);

-- name: last_boot
SELECT id, (SELECT sent_at FROM message ORDER BY seq DESC LIMIT 1) FROM boot

-- name: restart_leases
UPDATE message SET
    sent_at    = :now - max(0, :wall - sent_wall),
    visible_at = :now - max(0, :wall - sent_wall),
    fence      = 0,
    owner      = ''

-- name: forget_boot
DELETE FROM boot

-- name: remember_boot
INSERT INTO boot (id) VALUES (:id)

-- name: bytes_used
SELECT (page_count - freelist_count) * page_size FROM pragma_page_count, pragma_freelist_count, pragma_page_size

-- name: send
INSERT INTO message (queue, id, sent_at, sent_wall, visible_at, body)
VALUES (:queue, :id, :now, :wall, :now, :body)
ON CONFLICT (queue, id) WHERE id <> '' DO NOTHING

-- name: next_due
SELECT min(visible_at) FROM message WHERE queue = :queue

-- name: receive
UPDATE message SET visible_at = :until, fence = random(), receives = receives + 1, owner = :owner
WHERE seq IN (
    SELECT seq FROM message WHERE queue = :queue AND visible_at <= :now ORDER BY visible_at, seq LIMIT :up_to
)
RETURNING seq, fence, receives, body

-- name: extend
UPDATE message SET visible_at = :until WHERE seq = :seq AND fence = :fence AND queue = :queue

-- name: release
UPDATE message SET visible_at = sent_at, fence = 0, owner = ''
WHERE seq = :seq AND fence = :fence AND queue = :queue

-- name: delete
DELETE FROM message WHERE seq = :seq AND fence = :fence AND queue = :queue

-- name: lease_owners
SELECT DISTINCT owner FROM message WHERE queue = :queue AND visible_at > :now AND owner <> ''

-- name: forgive
UPDATE message SET receives = receives - 1 WHERE queue = :queue AND visible_at > :now AND owner = :owner

-- name: charge
UPDATE message SET receives = receives + 1 WHERE seq = :seq AND fence = :fence AND queue = :queue

-- name: end_leases
UPDATE message SET visible_at = sent_at, fence = 0, owner = ''
WHERE queue = :queue AND visible_at > :now AND owner = :owner

-- name: bury
UPDATE OR IGNORE message SET queue = :dead_letter, visible_at = sent_at, fence = 0, receives = 0, owner = ''
WHERE seq = :seq

-- name: depth
SELECT total - in_flight, in_flight, (SELECT sent_at FROM message WHERE seq = oldest)
FROM (
    SELECT count(*) AS total, count(*) FILTER (WHERE visible_at > :now) AS in_flight, min(seq) AS oldest
    FROM message WHERE queue = :queue
)

-- name: expire
DELETE FROM message WHERE seq IN (
    SELECT seq FROM (SELECT seq, sent_at FROM message ORDER BY seq LIMIT :step) WHERE sent_at < :before
)

-- name: open_response_queue
INSERT INTO response_queue (name) VALUES (:name)

-- name: response_queues
SELECT name FROM response_queue

-- name: replies_waiting
SELECT count(*) FROM message WHERE queue IN (SELECT name FROM response_queue)

-- name: is_response_queue
SELECT 1 FROM response_queue WHERE name = :name

-- name: empty_queue
DELETE FROM message WHERE seq IN (SELECT seq FROM message WHERE queue = :queue LIMIT :step)

-- name: close_response_queue
DELETE FROM response_queue WHERE name = :name
