-- The guards of the ledger for SQLite: what no writer may do, and what each new row of the log brings about.
-- Each refusal is one code of codes.csv. Statements are separated by lines of two hyphens and "next".
-- next
CREATE TRIGGER registry_act AFTER INSERT ON registry_transaction
WHEN NEW.status = 'done' AND NEW.kind IN ('close_account', 'block_account', 'unblock_account', 'open_scheme', 'close_scheme')
BEGIN
  SELECT CASE
    WHEN NEW.kind IN ('open_scheme', 'close_scheme') THEN
      CASE WHEN NOT EXISTS (SELECT 1 FROM registry_scheme WHERE scheme = NEW.subject) THEN RAISE(ABORT, 'C01') END
    WHEN NOT EXISTS (SELECT 1 FROM registry_account WHERE code = NEW.subject) THEN RAISE(ABORT, 'C03')
    WHEN (SELECT status FROM registry_account WHERE code = NEW.subject) = 'closed' THEN RAISE(ABORT, 'C23')
    WHEN NEW.kind = 'close_account' AND EXISTS (
      SELECT 1 FROM registry_holding WHERE quantity <> 0
      AND account_id = (SELECT id FROM registry_account WHERE code = NEW.subject)
    ) THEN RAISE(ABORT, 'C23')
  END;
  UPDATE registry_account SET status = CASE NEW.kind
    WHEN 'close_account' THEN 'closed' WHEN 'block_account' THEN 'blocked' ELSE 'open' END
  WHERE code = NEW.subject AND NEW.kind IN ('close_account', 'block_account', 'unblock_account');
  UPDATE registry_scheme SET state = CASE NEW.kind WHEN 'close_scheme' THEN 'closed' ELSE 'open' END
  WHERE scheme = NEW.subject AND NEW.kind IN ('open_scheme', 'close_scheme');
END
-- next
CREATE TRIGGER registry_representatives BEFORE INSERT ON registry_representative
BEGIN
  SELECT RAISE(ABORT, 'C11') WHERE NEW.name = (
    SELECT name FROM registry_representative
    WHERE account_id = NEW.account_id AND role <> NEW.role ORDER BY id DESC LIMIT 1
  );
END
-- next
CREATE TRIGGER registry_transfer_allowed BEFORE INSERT ON registry_transfer
BEGIN
  SELECT CASE
    WHEN NOT EXISTS (SELECT 1 FROM registry_transaction WHERE id = NEW.transaction_id AND status = 'done')
      THEN RAISE(ABORT, 'C20')
    WHEN s.id IS NULL THEN RAISE(ABORT, 'C03')
    WHEN t.id IS NULL THEN RAISE(ABORT, 'C02')
    WHEN i.id IS NULL THEN RAISE(ABORT, 'C42')
    -- What waits for an account that closed meanwhile can still be given up.
    WHEN s.status = 'closed' OR (t.status = 'closed' AND NEW.phase <> 'void') THEN RAISE(ABORT, 'C23')
    WHEN EXISTS (SELECT 1 FROM registry_scheme WHERE scheme IN (s.scheme, t.scheme) AND state <> 'open')
      THEN RAISE(ABORT, 'C01')
    WHEN s.scheme <> t.scheme AND NEW.kind NOT IN ('external', 'reverse') THEN RAISE(ABORT, 'C04')
    WHEN s.scheme = t.scheme AND NEW.kind = 'external' THEN RAISE(ABORT, 'C05')
    WHEN NOT EXISTS (SELECT 1 FROM registry_acceptance WHERE scheme = s.scheme AND unit_scheme = i.scheme)
      OR NOT EXISTS (SELECT 1 FROM registry_acceptance WHERE scheme = t.scheme AND unit_scheme = i.scheme)
      THEN RAISE(ABORT, 'C04')
    WHEN s.type = 'issuance' AND s.scheme <> i.scheme THEN RAISE(ABORT, 'C04')
    WHEN i.only_kinds IS NOT NULL AND instr(i.only_kinds, ';' || NEW.kind || ';') = 0 AND NEW.kind <> 'reverse'
      THEN RAISE(ABORT, 'C06')
    WHEN NEW.compliance_year < s.first_year OR NEW.compliance_year > s.last_year
      OR NEW.compliance_year < t.first_year OR NEW.compliance_year > t.last_year THEN RAISE(ABORT, 'C15')
    WHEN NEW.first_serial IS NOT NULL AND NOT i.serialised THEN RAISE(ABORT, 'C08')
  END
  FROM (SELECT 1) LEFT JOIN registry_account s ON s.id = NEW.source_id
  LEFT JOIN registry_account t ON t.id = NEW.target_id
  LEFT JOIN registry_instrument i ON i.id = NEW.instrument_id;
  SELECT CASE
    WHEN m.kind IS NULL THEN RAISE(ABORT, 'C29')
    WHEN s.status = 'blocked' AND NOT m.from_blocked AND NEW.phase <> 'void' THEN RAISE(ABORT, 'C07')
  END
  FROM registry_account s JOIN registry_account t ON t.id = NEW.target_id
  JOIN registry_instrument i ON i.id = NEW.instrument_id
  LEFT JOIN registry_movement m ON m.kind = NEW.kind AND m.source_type = s.type AND m.target_type = t.type
    AND m.unit_kind = i.kind
  WHERE s.id = NEW.source_id AND NEW.kind <> 'reverse';
  SELECT CASE
    WHEN r.id IS NULL OR r.phase <> 'reserve' OR r.source_id <> NEW.source_id OR r.target_id <> NEW.target_id
      OR r.instrument_id <> NEW.instrument_id OR r.kind <> NEW.kind THEN RAISE(ABORT, 'C22')
    WHEN NEW.phase = 'settle' AND (NEW.quantity > r.quantity OR NEW.at_us >= r.expires_at_us) THEN RAISE(ABORT, 'C22')
    WHEN NEW.phase = 'void' AND NEW.quantity <> r.quantity THEN RAISE(ABORT, 'C22')
    WHEN EXISTS (SELECT 1 FROM registry_transfer WHERE reserve_id = NEW.reserve_id) THEN RAISE(ABORT, 'C22')
  END
  FROM (SELECT 1) LEFT JOIN registry_transfer r ON r.id = NEW.reserve_id WHERE NEW.reserve_id IS NOT NULL;
  SELECT CASE
    WHEN o.id IS NULL OR o.phase NOT IN ('posted', 'settle') OR o.kind = 'reverse' OR o.source_id <> NEW.target_id
      OR o.target_id <> NEW.source_id OR o.instrument_id <> NEW.instrument_id OR o.quantity <> NEW.quantity
      OR EXISTS (SELECT 1 FROM registry_transfer WHERE reverses_id = NEW.reverses_id) THEN RAISE(ABORT, 'C28')
  END
  FROM (SELECT 1) LEFT JOIN registry_transfer o ON o.id = NEW.reverses_id WHERE NEW.reverses_id IS NOT NULL;
  -- Once the final allocation is settled, what was granted changes only with it.
  SELECT RAISE(ABORT, 'C34') WHERE NEW.compliance_year IS NOT NULL AND (
    NEW.kind IN ('pre_allocate', 'allocate') OR (NEW.kind = 'reverse' AND EXISTS (
      SELECT 1 FROM registry_transfer WHERE id = NEW.reverses_id AND kind IN ('pre_allocate', 'allocate')
    ))
  ) AND EXISTS (
    SELECT 1 FROM registry_statement s
    WHERE s.account_id = CASE NEW.kind WHEN 'reverse' THEN NEW.source_id ELSE NEW.target_id END
    AND s.kind = 'final_allocation' AND s.compliance_year = NEW.compliance_year AND NOT EXISTS (
      SELECT 1 FROM registry_transaction r WHERE r.reverses = s.transaction_id AND r.status = 'done'
    )
  );
END
-- next
CREATE TRIGGER registry_transfer_posted AFTER INSERT ON registry_transfer WHEN NEW.phase = 'posted'
BEGIN
  INSERT INTO registry_holding (account_id, instrument_id, quantity, reserved, contra)
  SELECT id, NEW.instrument_id, 0, 0, type = 'issuance' FROM registry_account WHERE id IN (NEW.source_id, NEW.target_id)
  ON CONFLICT DO NOTHING;
  UPDATE registry_holding SET quantity = quantity - NEW.quantity
  WHERE account_id = NEW.source_id AND instrument_id = NEW.instrument_id;
  UPDATE registry_holding SET quantity = quantity + NEW.quantity
  WHERE account_id = NEW.target_id AND instrument_id = NEW.instrument_id;
END
-- next
CREATE TRIGGER registry_transfer_reserved AFTER INSERT ON registry_transfer WHEN NEW.phase = 'reserve'
BEGIN
  INSERT INTO registry_holding (account_id, instrument_id, quantity, reserved, contra)
  SELECT id, NEW.instrument_id, 0, 0, type = 'issuance' FROM registry_account WHERE id = NEW.source_id
  ON CONFLICT DO NOTHING;
  UPDATE registry_holding SET reserved = reserved + NEW.quantity
  WHERE account_id = NEW.source_id AND instrument_id = NEW.instrument_id;
END
-- next
CREATE TRIGGER registry_transfer_settled AFTER INSERT ON registry_transfer WHEN NEW.phase = 'settle'
BEGIN
  INSERT INTO registry_holding (account_id, instrument_id, quantity, reserved, contra)
  SELECT id, NEW.instrument_id, 0, 0, type = 'issuance' FROM registry_account WHERE id = NEW.target_id
  ON CONFLICT DO NOTHING;
  UPDATE registry_holding SET quantity = quantity - NEW.quantity,
    reserved = reserved - (SELECT quantity FROM registry_transfer WHERE id = NEW.reserve_id)
  WHERE account_id = NEW.source_id AND instrument_id = NEW.instrument_id;
  UPDATE registry_holding SET quantity = quantity + NEW.quantity
  WHERE account_id = NEW.target_id AND instrument_id = NEW.instrument_id;
END
-- next
CREATE TRIGGER registry_transfer_voided AFTER INSERT ON registry_transfer WHEN NEW.phase = 'void'
BEGIN
  UPDATE registry_holding SET reserved = reserved - NEW.quantity
  WHERE account_id = NEW.source_id AND instrument_id = NEW.instrument_id;
  UPDATE registry_block SET reserve_id = NULL WHERE reserve_id = NEW.reserve_id;
END
-- next
CREATE TRIGGER registry_units_issued AFTER INSERT ON registry_transfer
WHEN NEW.kind <> 'reverse' AND (SELECT type FROM registry_account WHERE id = NEW.source_id) = 'issuance'
  AND (SELECT serialised FROM registry_instrument WHERE id = NEW.instrument_id)
BEGIN
  INSERT INTO registry_piece (transfer_id, instrument_id, serial_first, serial_last, parent_first, parent_last)
  SELECT NEW.id, id, first, first + NEW.quantity - 1, first, first + NEW.quantity - 1
  FROM (SELECT id, coalesce(NEW.first_serial, next_serial) AS first FROM registry_instrument WHERE id = NEW.instrument_id);
  INSERT INTO registry_block (instrument_id, serial_first, serial_last, account_id)
  SELECT instrument_id, serial_first, serial_last, NEW.target_id FROM registry_piece WHERE transfer_id = NEW.id;
  UPDATE registry_instrument SET next_serial = max(next_serial, (
    SELECT serial_last + 1 FROM registry_piece WHERE transfer_id = NEW.id
  )) WHERE id = NEW.instrument_id;
END
-- next
CREATE TRIGGER registry_units_moved AFTER INSERT ON registry_transfer
WHEN NEW.phase <> 'void' AND (SELECT serialised FROM registry_instrument WHERE id = NEW.instrument_id)
  AND (NEW.kind = 'reverse' OR (SELECT type FROM registry_account WHERE id = NEW.source_id) <> 'issuance')
BEGIN
  -- The lowest free numbers of the sender, or those asked for, or those that the reversed leg had moved.
  INSERT INTO registry_piece (transfer_id, instrument_id, serial_first, serial_last, parent_first, parent_last)
  SELECT NEW.id, NEW.instrument_id, low, min(high, low + (NEW.quantity - before) - 1), serial_first, serial_last
  FROM (
    SELECT *, sum(high - low + 1) OVER (ORDER BY low ROWS UNBOUNDED PRECEDING) - (high - low + 1) AS before FROM (
      SELECT b.serial_first, b.serial_last,
        max(b.serial_first, coalesce(o.serial_first, NEW.first_serial, b.serial_first)) AS low,
        min(b.serial_last, coalesce(o.serial_last, NEW.first_serial + NEW.quantity - 1, b.serial_last)) AS high
      FROM registry_block b
      LEFT JOIN registry_piece o ON o.transfer_id = NEW.reverses_id
        AND o.serial_first <= b.serial_last AND o.serial_last >= b.serial_first
      -- The plus keeps SQLite from the index by reservation, in which nearly all blocks are alike.
      WHERE b.account_id = NEW.source_id AND b.instrument_id = NEW.instrument_id AND +b.reserve_id IS NEW.reserve_id
        AND b.serial_first >= coalesce((
          SELECT max(serial_first) FROM registry_block
          WHERE instrument_id = NEW.instrument_id AND serial_first <= NEW.first_serial
        ), 0) AND b.serial_first <= coalesce(NEW.first_serial + NEW.quantity - 1, 9223372036854775807)
        AND (NEW.reverses_id IS NULL OR o.id IS NOT NULL)
    ) WHERE low <= high
  ) WHERE before < NEW.quantity;
  -- SQLite does not say which of two triggers goes first, so this one must tell too few units from the wrong ones.
  SELECT CASE WHEN coalesce(NEW.first_serial, NEW.reverses_id) IS NULL OR NEW.quantity > coalesce((
    SELECT sum(serial_last - serial_first + 1) FROM registry_block
    WHERE account_id = NEW.source_id AND instrument_id = NEW.instrument_id AND reserve_id IS NEW.reserve_id
  ), 0) THEN RAISE(ABORT, 'C18') ELSE RAISE(ABORT, 'C08') END
  WHERE NEW.quantity IS NOT (
    SELECT sum(serial_last - serial_first + 1) FROM registry_piece WHERE transfer_id = NEW.id
  );
  DELETE FROM registry_block WHERE instrument_id = NEW.instrument_id
    AND serial_first IN (SELECT parent_first FROM registry_piece WHERE transfer_id = NEW.id);
  INSERT INTO registry_block (instrument_id, serial_first, serial_last, account_id)
  SELECT instrument_id, parent_first, serial_first - 1, NEW.source_id FROM registry_piece
  WHERE transfer_id = NEW.id AND parent_first < serial_first;
  INSERT INTO registry_block (instrument_id, serial_first, serial_last, account_id)
  SELECT instrument_id, serial_last + 1, parent_last, NEW.source_id FROM registry_piece
  WHERE transfer_id = NEW.id AND serial_last < parent_last;
  INSERT INTO registry_block (instrument_id, serial_first, serial_last, account_id, reserve_id)
  SELECT instrument_id, serial_first, serial_last,
    CASE NEW.phase WHEN 'reserve' THEN NEW.source_id ELSE NEW.target_id END,
    CASE NEW.phase WHEN 'reserve' THEN NEW.id END
  FROM registry_piece WHERE transfer_id = NEW.id;
  UPDATE registry_block SET reserve_id = NULL WHERE reserve_id = NEW.reserve_id;
END
-- next
-- Beyond 2^63 SQLite would go on with fractions and lose units.
CREATE TRIGGER registry_holding_whole BEFORE UPDATE OF quantity, reserved ON registry_holding
WHEN typeof(NEW.quantity) <> 'integer' OR typeof(NEW.reserved) <> 'integer'
BEGIN
  SELECT RAISE(ABORT, 'C16');
END
-- next
CREATE TRIGGER registry_piece_whole BEFORE INSERT ON registry_piece WHEN typeof(NEW.serial_last) <> 'integer'
BEGIN
  SELECT RAISE(ABORT, 'C16');
END
-- next
CREATE TRIGGER registry_blocks_disjoint BEFORE INSERT ON registry_block
BEGIN
  SELECT RAISE(ABORT, 'C27') WHERE NEW.serial_first <= (
    SELECT serial_last FROM registry_block
    WHERE instrument_id = NEW.instrument_id AND serial_first <= NEW.serial_last ORDER BY serial_first DESC LIMIT 1
  );
END
-- next
CREATE TRIGGER registry_blocks_fixed BEFORE UPDATE OF instrument_id, serial_first, serial_last ON registry_block
BEGIN
  SELECT RAISE(ABORT, 'C27');
END
-- next
CREATE TRIGGER registry_final_once BEFORE INSERT ON registry_statement
BEGIN
  SELECT RAISE(ABORT, 'C15') FROM registry_account
  WHERE id = NEW.account_id AND (NEW.compliance_year < first_year OR NEW.compliance_year > last_year);
  SELECT RAISE(ABORT, 'C34') WHERE NEW.kind = 'final_allocation' AND EXISTS (
    SELECT 1 FROM registry_statement s WHERE s.account_id = NEW.account_id AND s.kind = NEW.kind
    AND s.compliance_year = NEW.compliance_year AND NOT EXISTS (
      SELECT 1 FROM registry_transaction r WHERE r.reverses = s.transaction_id AND r.status = 'done'
    )
  );
END
-- next
CREATE VIEW registry_entry AS
SELECT id AS transfer_id, transaction_id, kind, at_us, source_id AS account_id, 'debit' AS side, instrument_id, quantity,
  -quantity AS change
FROM registry_transfer WHERE phase IN ('posted', 'settle')
UNION ALL
SELECT id, transaction_id, kind, at_us, target_id, 'credit', instrument_id, quantity, quantity
FROM registry_transfer WHERE phase IN ('posted', 'settle')
