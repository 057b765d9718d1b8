-- The guards of the ledger for PostgreSQL: the same as sqlite.sql, and the one procedure that books a transaction in a
-- single round trip. Each refusal is one code of codes.csv, raised with SQLSTATE 23514 and the code as its message.
-- next
CREATE OR REPLACE FUNCTION registry_refuse(code text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION USING ERRCODE = '23514', MESSAGE = code;
END $$
-- next
CREATE OR REPLACE FUNCTION registry_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM registry_refuse('append-only: ' || TG_TABLE_NAME);
  RETURN NULL;
END $$
-- next
CREATE OR REPLACE FUNCTION registry_lock_schemes(alone boolean) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  -- Whoever opens or closes a registry waits for the movements under way, and they for it. Not a lock on the scheme's
  -- row: every movement would have to write to that one row. Locks of this kind are the whole database's; the number of
  -- the table tells two ledgers in one database apart.
  IF alone THEN
    PERFORM pg_advisory_xact_lock(7201041, hashoid('registry_scheme'::regclass));
  ELSE
    PERFORM pg_advisory_xact_lock_shared(7201041, hashoid('registry_scheme'::regclass));
  END IF;
END $$
-- next
CREATE OR REPLACE FUNCTION registry_begin_act(client_id text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  -- Before anything else is locked: an import or a seal that keeps all writers out waits for this act, or this act for
  -- it. Then two writers with one new id: the second waits here until the first is done, and then finds it.
  LOCK TABLE registry_transaction IN ROW EXCLUSIVE MODE;
  PERFORM pg_advisory_xact_lock(hashtextextended(client_id, 'registry_transaction'::regclass::bigint));
END $$
-- next
CREATE OR REPLACE FUNCTION registry_act() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE a registry_account;
BEGIN
  IF NEW.kind IN ('open_scheme', 'close_scheme') THEN
    PERFORM registry_lock_schemes(alone => true);
    UPDATE registry_scheme SET state = CASE NEW.kind WHEN 'close_scheme' THEN 'closed' ELSE 'open' END
    WHERE scheme = NEW.subject;
    IF NOT FOUND THEN PERFORM registry_refuse('C01'); END IF;
    RETURN NULL;
  END IF;
  SELECT * INTO a FROM registry_account WHERE code = NEW.subject FOR NO KEY UPDATE;
  IF NOT FOUND THEN PERFORM registry_refuse('C03'); END IF;
  IF a.status = 'closed' THEN PERFORM registry_refuse('C23'); END IF;
  IF NEW.kind = 'close_account'
    AND EXISTS (SELECT 1 FROM registry_holding WHERE account_id = a.id AND quantity <> 0) THEN
    PERFORM registry_refuse('C23');
  END IF;
  UPDATE registry_account SET status = CASE NEW.kind
    WHEN 'close_account' THEN 'closed' WHEN 'block_account' THEN 'blocked' ELSE 'open' END
  WHERE id = a.id;
  RETURN NULL;
END $$
-- next
CREATE TRIGGER registry_act AFTER INSERT ON registry_transaction FOR EACH ROW
WHEN (NEW.status = 'done' AND NEW.kind IN ('close_account', 'block_account', 'unblock_account', 'open_scheme', 'close_scheme'))
EXECUTE FUNCTION registry_act()
-- next
CREATE OR REPLACE FUNCTION registry_representatives() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM 1 FROM registry_account WHERE id = NEW.account_id FOR UPDATE;
  IF NEW.name = (
    SELECT name FROM registry_representative
    WHERE account_id = NEW.account_id AND role <> NEW.role ORDER BY id DESC LIMIT 1
  ) THEN PERFORM registry_refuse('C11'); END IF;
  RETURN NEW;
END $$
-- next
CREATE TRIGGER registry_representatives BEFORE INSERT ON registry_representative
FOR EACH ROW EXECUTE FUNCTION registry_representatives()
-- next
CREATE OR REPLACE FUNCTION registry_transfer_allowed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE seen record; r registry_transfer; o registry_transfer;
BEGIN
  -- Whoever closes or blocks one of the two accounts waits for this movement, and this movement for them.
  PERFORM registry_lock_schemes(alone => false);
  PERFORM 1 FROM registry_account WHERE id IN (NEW.source_id, NEW.target_id) ORDER BY id FOR SHARE;
  -- Everything that a movement is checked against in one statement: each costs more than all that it looks up.
  SELECT
    s.id AS source, s.scheme AS source_scheme, s.type AS source_type, s.status AS source_status,
    s.first_year AS source_first, s.last_year AS source_last,
    t.id AS target, t.scheme AS target_scheme, t.status AS target_status,
    t.first_year AS target_first, t.last_year AS target_last,
    i.id AS unit, i.scheme AS unit_scheme, i.only_kinds, i.serialised, m.kind AS movement, m.from_blocked,
    -- Not "WHERE status = 'done'": an index of booked acts alone would then do for the search, read from end to end.
    (SELECT status = 'done' FROM registry_transaction WHERE id = NEW.transaction_id) AS is_booked,
    EXISTS (SELECT 1 FROM registry_scheme WHERE scheme IN (s.scheme, t.scheme) AND state <> 'open') AS is_shut,
    EXISTS (SELECT 1 FROM registry_acceptance WHERE scheme = s.scheme AND unit_scheme = i.scheme)
      AND EXISTS (SELECT 1 FROM registry_acceptance WHERE scheme = t.scheme AND unit_scheme = i.scheme) AS is_accepted
  INTO seen FROM (SELECT 1) nothing
  LEFT JOIN registry_account s ON s.id = NEW.source_id
  LEFT JOIN registry_account t ON t.id = NEW.target_id
  LEFT JOIN registry_instrument i ON i.id = NEW.instrument_id
  LEFT JOIN registry_movement m ON m.kind = NEW.kind AND m.source_type = s.type AND m.target_type = t.type
    AND m.unit_kind = i.kind;
  IF seen.is_booked IS NOT TRUE THEN PERFORM registry_refuse('C20'); END IF;
  IF seen.source IS NULL THEN PERFORM registry_refuse('C03'); END IF;
  IF seen.target IS NULL THEN PERFORM registry_refuse('C02'); END IF;
  IF seen.unit IS NULL THEN PERFORM registry_refuse('C42'); END IF;
  -- What waits for an account that closed meanwhile can still be given up.
  IF seen.source_status = 'closed' OR (seen.target_status = 'closed' AND NEW.phase <> 'void') THEN
    PERFORM registry_refuse('C23');
  END IF;
  IF seen.is_shut THEN PERFORM registry_refuse('C01'); END IF;
  IF seen.source_scheme <> seen.target_scheme AND NEW.kind NOT IN ('external', 'reverse') THEN
    PERFORM registry_refuse('C04');
  END IF;
  IF seen.source_scheme = seen.target_scheme AND NEW.kind = 'external' THEN PERFORM registry_refuse('C05'); END IF;
  IF NOT seen.is_accepted OR (seen.source_type = 'issuance' AND seen.source_scheme <> seen.unit_scheme) THEN
    PERFORM registry_refuse('C04');
  END IF;
  IF position(';' || NEW.kind || ';' IN seen.only_kinds) = 0 AND NEW.kind <> 'reverse' THEN
    PERFORM registry_refuse('C06');
  END IF;
  IF NEW.compliance_year < seen.source_first OR NEW.compliance_year > seen.source_last
    OR NEW.compliance_year < seen.target_first OR NEW.compliance_year > seen.target_last THEN
    PERFORM registry_refuse('C15');
  END IF;
  IF NEW.first_serial IS NOT NULL AND NOT seen.serialised THEN PERFORM registry_refuse('C08'); END IF;
  IF NEW.kind <> 'reverse' THEN
    IF seen.movement IS NULL THEN PERFORM registry_refuse('C29'); END IF;
    IF seen.source_status = 'blocked' AND NOT seen.from_blocked AND NEW.phase <> 'void' THEN
      PERFORM registry_refuse('C07');
    END IF;
  END IF;
  IF NEW.reserve_id IS NOT NULL THEN
    SELECT * INTO r FROM registry_transfer WHERE id = NEW.reserve_id;
    IF NOT FOUND OR r.phase <> 'reserve' OR r.source_id <> NEW.source_id OR r.target_id <> NEW.target_id
      OR r.instrument_id <> NEW.instrument_id OR r.kind <> NEW.kind
      OR (NEW.phase = 'settle' AND (NEW.quantity > r.quantity OR NEW.at_us >= r.expires_at_us))
      OR (NEW.phase = 'void' AND NEW.quantity <> r.quantity)
      OR EXISTS (SELECT 1 FROM registry_transfer WHERE reserve_id = NEW.reserve_id) THEN
      PERFORM registry_refuse('C22');
    END IF;
  END IF;
  IF NEW.reverses_id IS NOT NULL THEN
    SELECT * INTO o FROM registry_transfer WHERE id = NEW.reverses_id;
    IF NOT FOUND OR o.phase NOT IN ('posted', 'settle') OR o.kind = 'reverse' OR o.source_id <> NEW.target_id
      OR o.target_id <> NEW.source_id OR o.instrument_id <> NEW.instrument_id OR o.quantity <> NEW.quantity
      OR EXISTS (SELECT 1 FROM registry_transfer WHERE reverses_id = NEW.reverses_id) THEN
      PERFORM registry_refuse('C28');
    END IF;
  END IF;
  -- Once the final allocation is settled, what was granted changes only with it.
  IF NEW.compliance_year IS NOT NULL AND (
    NEW.kind IN ('pre_allocate', 'allocate') OR (NEW.kind = 'reverse' AND o.kind IN ('pre_allocate', 'allocate'))
  ) AND EXISTS (
    SELECT 1 FROM registry_statement f
    WHERE f.account_id = CASE NEW.kind WHEN 'reverse' THEN NEW.source_id ELSE NEW.target_id END
    AND f.kind = 'final_allocation' AND f.compliance_year = NEW.compliance_year AND NOT EXISTS (
      SELECT 1 FROM registry_transaction x WHERE x.reverses = f.transaction_id AND x.status = 'done'
    )
  ) THEN PERFORM registry_refuse('C34'); END IF;
  RETURN NEW;
END $$
-- next
CREATE TRIGGER registry_transfer_allowed BEFORE INSERT ON registry_transfer
FOR EACH ROW EXECUTE FUNCTION registry_transfer_allowed()
-- next
CREATE OR REPLACE FUNCTION registry_transfer_booked() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE freed bigint := 0;
BEGIN
  IF NEW.phase = 'void' THEN
    UPDATE registry_holding SET reserved = reserved - NEW.quantity
    WHERE account_id = NEW.source_id AND instrument_id = NEW.instrument_id;
    UPDATE registry_block SET reserve_id = NULL WHERE reserve_id = NEW.reserve_id;
    RETURN NULL;
  END IF;
  IF 2 > (
    SELECT count(*) FROM registry_holding
    WHERE account_id IN (NEW.source_id, NEW.target_id) AND instrument_id = NEW.instrument_id
  ) THEN
    INSERT INTO registry_holding (account_id, instrument_id, quantity, reserved, contra)
    SELECT id, NEW.instrument_id, 0, 0, type = 'issuance' FROM registry_account
    WHERE id IN (NEW.source_id, NEW.target_id) ORDER BY id
    ON CONFLICT DO NOTHING;
  END IF;
  IF NEW.phase = 'reserve' THEN
    UPDATE registry_holding SET reserved = reserved + NEW.quantity
    WHERE account_id = NEW.source_id AND instrument_id = NEW.instrument_id;
  ELSE
    IF NEW.phase = 'settle' THEN SELECT quantity INTO freed FROM registry_transfer WHERE id = NEW.reserve_id; END IF;
    UPDATE registry_holding SET quantity = quantity - NEW.quantity, reserved = reserved - freed
    WHERE account_id = NEW.source_id AND instrument_id = NEW.instrument_id;
    UPDATE registry_holding SET quantity = quantity + NEW.quantity
    WHERE account_id = NEW.target_id AND instrument_id = NEW.instrument_id;
  END IF;
  IF (SELECT serialised FROM registry_instrument WHERE id = NEW.instrument_id) THEN
    IF NEW.kind <> 'reverse' AND (SELECT type FROM registry_account WHERE id = NEW.source_id) = 'issuance' THEN
      PERFORM registry_issue_units(NEW);
    ELSE
      PERFORM registry_move_units(NEW);
    END IF;
  END IF;
  RETURN NULL;
END $$
-- next
CREATE TRIGGER registry_transfer_booked AFTER INSERT ON registry_transfer
FOR EACH ROW EXECUTE FUNCTION registry_transfer_booked()
-- next
CREATE OR REPLACE FUNCTION registry_issue_units(leg registry_transfer) RETURNS void LANGUAGE plpgsql AS $$
DECLARE low bigint; high bigint;
BEGIN
  SELECT coalesce(leg.first_serial, next_serial) INTO low FROM registry_instrument
  WHERE id = leg.instrument_id FOR NO KEY UPDATE;
  high := low + leg.quantity - 1;
  UPDATE registry_instrument SET next_serial = greatest(next_serial, high + 1) WHERE id = leg.instrument_id;
  INSERT INTO registry_piece (transfer_id, instrument_id, serial_first, serial_last, parent_first, parent_last)
  VALUES (leg.id, leg.instrument_id, low, high, low, high);
  INSERT INTO registry_block (instrument_id, serial_first, serial_last, account_id)
  VALUES (leg.instrument_id, low, high, leg.target_id);
END $$
-- next
CREATE OR REPLACE FUNCTION registry_move_units(leg registry_transfer) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  -- The lowest free numbers of the sender, or those asked for, or those that the reversed leg had moved. The row of
  -- the sender's holding is locked by now, so nobody else takes the same numbers.
  INSERT INTO registry_piece (transfer_id, instrument_id, serial_first, serial_last, parent_first, parent_last)
  SELECT leg.id, leg.instrument_id, low, least(high, low + (leg.quantity - before) - 1), serial_first, serial_last
  FROM (
    SELECT *, sum(high - low + 1) OVER (ORDER BY low ROWS UNBOUNDED PRECEDING) - (high - low + 1) AS before FROM (
      SELECT b.serial_first, b.serial_last,
        greatest(b.serial_first, coalesce(o.serial_first, leg.first_serial, b.serial_first)) AS low,
        least(b.serial_last, coalesce(o.serial_last, leg.first_serial + leg.quantity - 1, b.serial_last)) AS high
      FROM registry_block b
      LEFT JOIN registry_piece o ON o.transfer_id = leg.reverses_id
        AND o.serial_first <= b.serial_last AND o.serial_last >= b.serial_first
      WHERE b.account_id = leg.source_id AND b.instrument_id = leg.instrument_id
        AND b.reserve_id IS NOT DISTINCT FROM leg.reserve_id
        AND b.serial_first >= coalesce((
          SELECT max(serial_first) FROM registry_block
          WHERE instrument_id = leg.instrument_id AND serial_first <= leg.first_serial
        ), 0) AND b.serial_first <= coalesce(leg.first_serial + leg.quantity - 1, 9223372036854775807)
        AND (leg.reverses_id IS NULL OR o.id IS NOT NULL)
    ) cut WHERE low <= high
  ) run WHERE before < leg.quantity;
  IF leg.quantity IS DISTINCT FROM (
    SELECT sum(serial_last - serial_first + 1) FROM registry_piece WHERE transfer_id = leg.id
  ) THEN
    PERFORM registry_refuse(CASE WHEN coalesce(leg.first_serial, leg.reverses_id) IS NULL THEN 'C18' ELSE 'C08' END);
  END IF;
  DELETE FROM registry_block WHERE instrument_id = leg.instrument_id
    AND serial_first IN (SELECT parent_first FROM registry_piece WHERE transfer_id = leg.id);
  INSERT INTO registry_block (instrument_id, serial_first, serial_last, account_id, reserve_id)
  SELECT instrument_id, parent_first, serial_first - 1, leg.source_id, NULL::bigint FROM registry_piece
  WHERE transfer_id = leg.id AND parent_first < serial_first
  UNION ALL
  SELECT instrument_id, serial_last + 1, parent_last, leg.source_id, NULL::bigint FROM registry_piece
  WHERE transfer_id = leg.id AND serial_last < parent_last
  UNION ALL
  SELECT instrument_id, serial_first, serial_last,
    CASE leg.phase WHEN 'reserve' THEN leg.source_id ELSE leg.target_id END,
    CASE leg.phase WHEN 'reserve' THEN leg.id END
  FROM registry_piece WHERE transfer_id = leg.id;
  UPDATE registry_block SET reserve_id = NULL WHERE reserve_id = leg.reserve_id;
END $$
-- next
ALTER TABLE registry_block ADD CONSTRAINT block_disjoint EXCLUDE USING gist (
  int8range(instrument_id, instrument_id, '[]') WITH &&, int8range(serial_first, serial_last, '[]') WITH &&
)
-- next
CREATE OR REPLACE FUNCTION registry_blocks_fixed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM registry_refuse('C27');
  RETURN NULL;
END $$
-- next
CREATE TRIGGER registry_blocks_fixed BEFORE UPDATE OF instrument_id, serial_first, serial_last ON registry_block
FOR EACH ROW EXECUTE FUNCTION registry_blocks_fixed()
-- next
CREATE OR REPLACE FUNCTION registry_final_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (
    SELECT 1 FROM registry_account
    WHERE id = NEW.account_id AND (NEW.compliance_year < first_year OR NEW.compliance_year > last_year)
  ) THEN PERFORM registry_refuse('C15'); END IF;
  IF NEW.kind <> 'final_allocation' THEN RETURN NEW; END IF;
  PERFORM 1 FROM registry_account WHERE id = NEW.account_id FOR UPDATE;
  IF EXISTS (
    SELECT 1 FROM registry_statement s WHERE s.account_id = NEW.account_id AND s.kind = NEW.kind
    AND s.compliance_year = NEW.compliance_year AND NOT EXISTS (
      SELECT 1 FROM registry_transaction r WHERE r.reverses = s.transaction_id AND r.status = 'done'
    )
  ) THEN PERFORM registry_refuse('C34'); END IF;
  RETURN NEW;
END $$
-- next
CREATE TRIGGER registry_final_once BEFORE INSERT ON registry_statement
FOR EACH ROW EXECUTE FUNCTION registry_final_once()
-- next
CREATE OR REPLACE FUNCTION registry_lock_rows(kind text, subject text, legs jsonb) RETURNS void LANGUAGE plpgsql AS $$
DECLARE leg record; pair record; unit bigint; one bigint; other bigint; accounts bigint[]; units bigint[];
BEGIN
  -- Everything that an act depends on is locked before the act gets its number, so that the numbers of any two acts on
  -- the same account, scheme or holding tell which came first; and always in one order, so that two writers never wait
  -- for each other in a ring.
  IF kind IN ('open_scheme', 'close_scheme') THEN
    PERFORM registry_lock_schemes(alone => true);
  ELSIF kind IN ('close_account', 'block_account', 'unblock_account') THEN
    PERFORM 1 FROM registry_account WHERE code = subject FOR NO KEY UPDATE;
  END IF;
  IF jsonb_array_length(legs) = 0 THEN RETURN; END IF;
  PERFORM registry_lock_schemes(alone => false);
  IF jsonb_array_length(legs) = 1 THEN
    -- Nearly every act: one leg between two accounts that both know the unit.
    SELECT id INTO unit FROM registry_instrument WHERE code = legs->0->>'instrument';
    SELECT min(id), max(id) INTO one, other FROM (
      SELECT id FROM registry_account WHERE code IN (legs->0->>'source', legs->0->>'target') ORDER BY id FOR SHARE
    ) locked;
    IF 2 = (SELECT count(*) FROM registry_holding WHERE account_id IN (one, other) AND instrument_id = unit) THEN
      PERFORM 1 FROM registry_holding WHERE account_id IN (one, other) AND instrument_id = unit
      ORDER BY account_id FOR NO KEY UPDATE;
      RETURN;
    END IF;
    accounts := ARRAY[one, other];
    units := ARRAY[unit, unit];
  ELSE
    FOR leg IN SELECT * FROM jsonb_to_recordset(legs) AS l(source text, target text, instrument text) LOOP
      SELECT id INTO unit FROM registry_instrument WHERE code = leg.instrument;
      FOR pair IN SELECT id FROM registry_account WHERE code IN (leg.source, leg.target) ORDER BY id FOR SHARE LOOP
        accounts := accounts || pair.id;
        units := units || unit;
      END LOOP;
    END LOOP;
  END IF;
  -- New rows are made in the same order, and before any is locked.
  FOR pair IN SELECT DISTINCT a.id, p.unit, a.type FROM unnest(accounts, units) AS p(account, unit)
    JOIN registry_account a ON a.id = p.account WHERE p.unit IS NOT NULL ORDER BY 1, 2
  LOOP
    PERFORM 1 FROM registry_holding WHERE account_id = pair.id AND instrument_id = pair.unit;
    IF NOT FOUND THEN
      INSERT INTO registry_holding (account_id, instrument_id, quantity, reserved, contra)
      VALUES (pair.id, pair.unit, 0, 0, pair.type = 'issuance') ON CONFLICT DO NOTHING;
    END IF;
  END LOOP;
  FOR pair IN SELECT DISTINCT account, p.unit FROM unnest(accounts, units) AS p(account, unit) ORDER BY 1, 2 LOOP
    PERFORM 1 FROM registry_holding WHERE account_id = pair.account AND instrument_id = pair.unit FOR NO KEY UPDATE;
  END LOOP;
END $$
-- next
CREATE OR REPLACE FUNCTION registry_book_legs(transaction_id bigint, at_us bigint, legs jsonb) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
  leg record; source bigint; target bigint; unit bigint;
BEGIN
  FOR leg IN SELECT * FROM jsonb_to_recordset(legs) AS l(
    kind text, phase text, source text, target text, instrument text, quantity bigint, first_serial bigint,
    compliance_year int, expires_at_us bigint, reserve_id bigint, reverses_id bigint, reference text
  ) LOOP
    SELECT s.id, t.id, i.id INTO source, target, unit FROM (SELECT 1) nothing
    LEFT JOIN registry_account s ON s.code = leg.source LEFT JOIN registry_account t ON t.code = leg.target
    LEFT JOIN registry_instrument i ON i.code = leg.instrument;
    IF source IS NULL THEN PERFORM registry_refuse('C03'); END IF;
    IF target IS NULL THEN PERFORM registry_refuse('C02'); END IF;
    IF unit IS NULL THEN PERFORM registry_refuse('C42'); END IF;
    INSERT INTO registry_transfer (
      transaction_id, kind, phase, source_id, target_id, instrument_id, quantity, first_serial, compliance_year, at_us,
      expires_at_us, reserve_id, reverses_id, reference
    ) VALUES (
      transaction_id, leg.kind, leg.phase, source, target, unit, leg.quantity, leg.first_serial, leg.compliance_year,
      at_us, leg.expires_at_us, leg.reserve_id, leg.reverses_id, leg.reference
    );
  END LOOP;
END $$
-- next
CREATE OR REPLACE FUNCTION registry_post(
  client_id text, kind text, scheme text, subject text, at_us bigint, actor text, body text, body_sha256 text,
  reverses bigint, legs jsonb, OUT id bigint, OUT status text, OUT code text, OUT found_sha256 text
) LANGUAGE plpgsql AS $$
#variable_conflict use_variable
DECLARE rule text; earlier registry_transaction;
BEGIN
  PERFORM registry_begin_act(client_id);
  BEGIN
    PERFORM registry_lock_rows(kind, subject, legs);
    INSERT INTO registry_transaction (client_id, kind, scheme, subject, at_us, actor, status, body, body_sha256, reverses)
    VALUES (
      client_id, kind,
      coalesce(scheme, (SELECT a.scheme FROM registry_account a WHERE a.code = coalesce(legs->0->>'source', subject))),
      subject, at_us, actor, 'done', body, body_sha256, reverses
    )
    RETURNING registry_transaction.id INTO id;
    PERFORM registry_book_legs(id, at_us, legs);
    status := 'done';
    RETURN;
  EXCEPTION
    WHEN unique_violation OR check_violation OR foreign_key_violation OR exclusion_violation THEN
      GET STACKED DIAGNOSTICS rule = CONSTRAINT_NAME;
      code := coalesce(nullif(rule, ''), SQLERRM);
    WHEN numeric_value_out_of_range THEN
      code := 'C16';
  END;
  SELECT * INTO earlier FROM registry_transaction t WHERE t.client_id = registry_post.client_id;
  id := earlier.id;
  status := coalesce(earlier.status, 'refused');
  found_sha256 := earlier.body_sha256;
END $$
-- next
CREATE VIEW registry_entry AS
SELECT id AS transfer_id, transaction_id, kind, at_us, source_id AS account_id, 'debit' AS side, instrument_id, quantity,
  -quantity AS change
FROM registry_transfer WHERE phase IN ('posted', 'settle')
UNION ALL
SELECT id, transaction_id, kind, at_us, target_id, 'credit', instrument_id, quantity, quantity
FROM registry_transfer WHERE phase IN ('posted', 'settle')
