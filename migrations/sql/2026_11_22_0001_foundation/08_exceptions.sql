-- What a person has to look at.

CREATE TABLE exception_case (
    exception_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('set_quarantined', 'set_conflict', 'advice_without_deposit', 'deposit_without_advice',
        'deposit_short', 'deposit_over', 'unknown_payee', 'float_missing', 'negative_member', 'network_adjustment', 'payout_dropped')),
    subject text NOT NULL,
    amount_cents bigint NOT NULL,
    detail text NOT NULL,
    opened_at timestamptz NOT NULL DEFAULT now(),
    state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'resolved')),
    resolved_at timestamptz,
    resolution text,
    CONSTRAINT resolution_says_how CHECK ((state = 'resolved') = (resolved_at IS NOT NULL) AND (state = 'resolved') = (resolution IS NOT NULL))
);
CREATE UNIQUE INDEX one_open_case ON exception_case (kind, subject) WHERE state = 'open';
