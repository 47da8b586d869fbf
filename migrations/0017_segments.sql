-- Up Migration
-- Saved filters over an owner's clients.
CREATE TABLE segments (
  id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT segments_pkey PRIMARY KEY,
  owner_id bigint NOT NULL CONSTRAINT segments_owner_id_fkey REFERENCES users,
  name text NOT NULL,
  -- As domain/segment-filter.ts reads it. It names tags by their ids.
  filter jsonb NOT NULL,
  created_at timestamptz NOT NULL DEFAULT app_now(),
  updated_at timestamptz NOT NULL DEFAULT app_now()
);
CREATE UNIQUE INDEX segments_owner_id_name_key
  ON segments (owner_id, (lower(translate(name, 'İIı', 'iii') COLLATE "default")));

ALTER TABLE mailings
  DROP CONSTRAINT mailings_audience_check,
  ADD CONSTRAINT mailings_audience_check CHECK (audience IN ('all', 'selected', 'segment')),
  ADD segment_id bigint CONSTRAINT mailings_segment_id_fkey REFERENCES segments,
  -- Of any audience: those who are in this segment don't get it.
  ADD exclude_segment_id bigint CONSTRAINT mailings_exclude_segment_id_fkey REFERENCES segments,
  ADD CONSTRAINT mailings_segment_check
    CHECK ((audience = 'segment') = (segment_id IS NOT NULL) OR deleted_at IS NOT NULL);
CREATE INDEX mailings_segment_id_idx ON mailings (segment_id) WHERE segment_id IS NOT NULL;
CREATE INDEX mailings_exclude_segment_id_idx ON mailings (exclude_segment_id) WHERE exclude_segment_id IS NOT NULL;

-- The segments of a run as they were when it began.
ALTER TABLE runs
  ADD segment_name text,
  ADD segment_filter jsonb,
  ADD exclude_name text,
  ADD exclude_filter jsonb;

-- Down Migration
ALTER TABLE runs DROP segment_name, DROP segment_filter, DROP exclude_name, DROP exclude_filter;
UPDATE mailings SET audience = 'selected', segment_id = NULL WHERE audience = 'segment';
ALTER TABLE mailings
  DROP segment_id,
  DROP exclude_segment_id,
  DROP CONSTRAINT mailings_audience_check,
  ADD CONSTRAINT mailings_audience_check CHECK (audience IN ('all', 'selected'));
DROP TABLE segments;
