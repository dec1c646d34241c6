"""The first schema."""

from collections.abc import Mapping, Sequence
from typing import Final

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# As they were at this revision: `engagements.core.guards` says what they are now.
GUARDS: Final[Mapping[str, Sequence[str]]] = {
    "sqlite": (
        """create trigger audit_event_no_update before update on audit_event
        begin select raise(abort, 'the audit trail is append-only'); end""",
        """create trigger audit_event_no_delete before delete on audit_event
        begin select raise(abort, 'the audit trail is append-only'); end""",
    ),
    "postgresql": (
        """create or replace function audit_event_is_append_only() returns trigger language plpgsql as
       $$ begin raise exception 'the audit trail is append-only'; end $$""",
        """create trigger audit_event_no_change before update or delete on audit_event
       for each row execute function audit_event_is_append_only()""",
        """create trigger audit_event_no_truncate before truncate on audit_event
       for each statement execute function audit_event_is_append_only()""",
    ),
}


def upgrade() -> None:
    op.create_table(
        "audit_event",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("organisation_id", sa.String(length=40), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("action", sa.String(length=60), nullable=False),
        sa.Column("entity", sa.String(length=40), nullable=False),
        sa.Column("entity_id", sa.String(length=40), nullable=False),
        sa.Column("entity_version", sa.Integer(), nullable=False),
        sa.Column("client_id", sa.String(length=40), nullable=True),
        sa.Column("engagement_id", sa.String(length=40), nullable=True),
        sa.Column("client_sees", sa.Boolean(), nullable=False),
        sa.Column("actor_kind", sa.String(length=10), nullable=False),
        sa.Column("actor_id", sa.String(length=40), nullable=False),
        sa.Column("actor_name", sa.String(length=255), nullable=False),
        sa.Column("actor_role", sa.String(length=40), nullable=False),
        sa.Column("ip", sa.String(length=64), nullable=False),
        sa.Column("agent", sa.String(length=400), nullable=False),
        sa.Column("request_id", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.String(length=2000), nullable=False),
        sa.Column("changes", sa.JSON(), nullable=False),
        sa.Column("previous_hash", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.CheckConstraint("seq > 0", name=op.f("ck_audit_event_seq_positive")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_event")),
        sa.UniqueConstraint("organisation_id", "seq", name=op.f("uq_audit_event_organisation_id_seq")),
    )
    op.create_index(op.f("ix_audit_event_client_id"), "audit_event", ["client_id"], unique=False)
    op.create_index(op.f("ix_audit_event_engagement_id"), "audit_event", ["engagement_id"], unique=False)
    op.create_index(op.f("ix_audit_event_entity_id"), "audit_event", ["entity_id"], unique=False)
    op.create_table(
        "audit_head",
        sa.Column("organisation_id", sa.String(length=40), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("organisation_id", name=op.f("pk_audit_head")),
    )
    op.create_table(
        "client",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("organisation_id", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("name_key", sa.String(length=400), nullable=False),
        sa.Column("legal_name", sa.String(length=200), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("region", sa.String(length=6), nullable=False),
        sa.Column("industry", sa.String(length=200), nullable=False),
        sa.Column("address", sa.String(length=2000), nullable=False),
        sa.Column("registration", sa.String(length=200), nullable=False),
        sa.Column("vat_id", sa.String(length=200), nullable=False),
        sa.Column("website", sa.String(length=200), nullable=False),
        sa.Column("notes", sa.String(length=2000), nullable=False),
        sa.Column("archived", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_client")),
        sa.UniqueConstraint("organisation_id", "name_key", name=op.f("uq_client_organisation_id_name_key")),
    )
    op.create_index(op.f("ix_client_organisation_id"), "client", ["organisation_id"], unique=False)
    op.create_table(
        "engagement_activity",
        sa.Column("engagement_id", sa.String(length=40), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("engagement_id", name=op.f("pk_engagement_activity")),
    )
    op.create_index(op.f("ix_engagement_activity_at"), "engagement_activity", ["at"], unique=False)
    op.create_table(
        "failed_attempt",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("scope", sa.String(length=80), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_failed_attempt")),
    )
    op.create_index(op.f("ix_failed_attempt_at"), "failed_attempt", ["at"], unique=False)
    op.create_index(op.f("ix_failed_attempt_scope"), "failed_attempt", ["scope"], unique=False)
    op.create_table(
        "feed",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("organisation_id", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.String(length=40), nullable=False),
        sa.Column("client_id", sa.String(length=40), nullable=True),
        sa.Column("engagement_id", sa.String(length=40), nullable=True),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_feed")),
        sa.UniqueConstraint("digest", name=op.f("uq_feed_digest")),
    )
    op.create_index(op.f("ix_feed_organisation_id"), "feed", ["organisation_id"], unique=False)
    op.create_index(op.f("ix_feed_person_id"), "feed", ["person_id"], unique=False)
    op.create_table(
        "frozen_document",
        sa.Column("organisation_id", sa.String(length=40), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("media_type", sa.String(length=80), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("organisation_id", "sha256", name=op.f("pk_frozen_document")),
    )
    op.create_table(
        "idempotency_key",
        sa.Column("principal", sa.String(length=60), nullable=False),
        sa.Column("route", sa.String(length=200), nullable=False),
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("body_sha256", sa.String(length=64), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("etag", sa.String(length=40), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("principal", "route", "key", name=op.f("pk_idempotency_key")),
    )
    op.create_index(op.f("ix_idempotency_key_created_at"), "idempotency_key", ["created_at"], unique=False)
    op.create_table(
        "letter",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("organisation_id", sa.String(length=40), nullable=False),
        sa.Column("topic", sa.String(length=240), nullable=False),
        sa.Column("to_name", sa.String(length=200), nullable=False),
        sa.Column("to_email", sa.String(length=255), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("text", sa.String(length=10000), nullable=False),
        sa.Column(
            "state",
            sa.Enum("waiting", "sent", "given_up", name="letterstate", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failure", sa.String(length=200), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_letter")),
        sa.UniqueConstraint("organisation_id", "topic", name=op.f("uq_letter_organisation_id_topic")),
    )
    op.create_index("ix_letter_due", "letter", ["state", "due_at"], unique=False)
    op.create_index(op.f("ix_letter_organisation_id"), "letter", ["organisation_id"], unique=False)
    op.create_table(
        "notice",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("organisation_id", sa.String(length=40), nullable=False),
        sa.Column("person_id", sa.String(length=40), nullable=False),
        sa.Column("engagement_id", sa.String(length=40), nullable=True),
        sa.Column("topic", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=60), nullable=False),
        sa.Column("text", sa.String(length=400), nullable=False),
        sa.Column("address", sa.String(length=400), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("posted", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice")),
        sa.UniqueConstraint("person_id", "topic", name=op.f("uq_notice_person_id_topic")),
    )
    op.create_index(op.f("ix_notice_organisation_id"), "notice", ["organisation_id"], unique=False)
    op.create_index(op.f("ix_notice_posted"), "notice", ["posted"], unique=False)
    op.create_index("ix_notice_unread", "notice", ["person_id", "read_at"], unique=False)
    op.create_table(
        "notice_choice",
        sa.Column("person_id", sa.String(length=40), nullable=False),
        sa.Column("organisation_id", sa.String(length=40), nullable=False),
        sa.Column("by_email", sa.Boolean(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_notice_choice")),
    )
    op.create_index(op.f("ix_notice_choice_organisation_id"), "notice_choice", ["organisation_id"], unique=False)
    op.create_table(
        "number_series",
        sa.Column("organisation_id", sa.String(length=40), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("organisation_id", "year", name=op.f("pk_number_series")),
    )
    op.create_table(
        "organisation",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("organisation_id", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("branding", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organisation")),
    )
    op.create_index(op.f("ix_organisation_organisation_id"), "organisation", ["organisation_id"], unique=False)
    op.create_table(
        "outbox_event",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("organisation_id", sa.String(length=40), nullable=False),
        sa.Column("type", sa.String(length=60), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("fanned_out", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox_event")),
    )
    op.create_index(op.f("ix_outbox_event_fanned_out"), "outbox_event", ["fanned_out"], unique=False)
    op.create_index(op.f("ix_outbox_event_organisation_id"), "outbox_event", ["organisation_id"], unique=False)
    op.create_table(
        "time_lock",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("organisation_id", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("until", sa.Date(), nullable=True),
        sa.Column("reason", sa.String(length=2000), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_time_lock")),
        sa.UniqueConstraint("organisation_id", name=op.f("uq_time_lock_organisation_id")),
    )
    op.create_index(op.f("ix_time_lock_organisation_id"), "time_lock", ["organisation_id"], unique=False)
    op.create_table(
        "training_lane",
        sa.Column("backend", sa.String(length=60), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("open_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("said", sa.String(length=500), nullable=False),
        sa.PrimaryKeyConstraint("backend", name=op.f("pk_training_lane")),
    )
    op.create_table(
        "webhook_endpoint",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("organisation_id", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("url", sa.String(length=500), nullable=False),
        sa.Column("description", sa.String(length=200), nullable=False),
        sa.Column("event_types", sa.JSON(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("secret", sa.String(length=100), nullable=False),
        sa.Column("previous_secret", sa.String(length=100), nullable=False),
        sa.Column("previous_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_endpoint")),
    )
    op.create_index(op.f("ix_webhook_endpoint_organisation_id"), "webhook_endpoint", ["organisation_id"], unique=False)
    op.create_table(
        "api_key",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("organisation_id", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column(
            "role",
            sa.Enum(
                "administrator",
                "account_lead",
                "delivery_lead",
                "delivery_member",
                "reviewer",
                "finance",
                "client_approver",
                "client_viewer",
                name="role",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("client_id", sa.String(length=40), nullable=True),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("last_four", sa.String(length=4), nullable=False),
        sa.Column("created_by", sa.String(length=40), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(role in ('client_approver', 'client_viewer')) = (client_id is not null)",
            name=op.f("ck_api_key_client_of_role"),
        ),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name=op.f("fk_api_key_client_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_key")),
        sa.UniqueConstraint("digest", name=op.f("uq_api_key_digest")),
    )
    op.create_index(op.f("ix_api_key_organisation_id"), "api_key", ["organisation_id"], unique=False)
    op.create_table(
        "contact",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("organisation_id", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("client_id", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("role", sa.String(length=200), nullable=False),
        sa.Column("email", sa.String(length=255), nullable=False),
        sa.Column("phone", sa.String(length=200), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name=op.f("fk_contact_client_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact")),
    )
    op.create_index(op.f("ix_contact_client_id"), "contact", ["client_id"], unique=False)
    op.create_index(op.f("ix_contact_organisation_id"), "contact", ["organisation_id"], unique=False)
    op.create_table(
        "engagement",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("organisation_id", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("client_id", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "proposed",
                "active",
                "on_hold",
                "closing",
                "closed",
                "terminated",
                name="engagementstate",
                native_enum=False,
                length=40,
            ),
            nullable=True,
        ),
        sa.Column("state_reason", sa.String(length=2000), nullable=False),
        sa.Column("owner_id", sa.String(length=40), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name=op.f("fk_engagement_client_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_engagement")),
    )
    op.create_index(op.f("ix_engagement_client_id"), "engagement", ["client_id"], unique=False)
    op.create_index(op.f("ix_engagement_organisation_id"), "engagement", ["organisation_id"], unique=False)
    op.create_index(op.f("ix_engagement_state"), "engagement", ["state"], unique=False)
    op.create_table(
        "invitation",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("organisation_id", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("email", sa.String(length=255), nullable=False),
        sa.Column(
            "role",
            sa.Enum(
                "administrator",
                "account_lead",
                "delivery_lead",
                "delivery_member",
                "reviewer",
                "finance",
                "client_approver",
                "client_viewer",
                name="role",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("client_id", sa.String(length=40), nullable=True),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("created_by", sa.String(length=40), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(role in ('client_approver', 'client_viewer')) = (client_id is not null)",
            name=op.f("ck_invitation_client_of_role"),
        ),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name=op.f("fk_invitation_client_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invitation")),
        sa.UniqueConstraint("digest", name=op.f("uq_invitation_digest")),
    )
    op.create_index(op.f("ix_invitation_client_id"), "invitation", ["client_id"], unique=False)
    op.create_index(op.f("ix_invitation_organisation_id"), "invitation", ["organisation_id"], unique=False)
    op.create_table(
        "person",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("organisation_id", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("email", sa.String(length=255), nullable=False),
        sa.Column("email_key", sa.String(length=255), nullable=False),
        sa.Column(
            "role",
            sa.Enum(
                "administrator",
                "account_lead",
                "delivery_lead",
                "delivery_member",
                "reviewer",
                "finance",
                "client_approver",
                "client_viewer",
                name="role",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("client_id", sa.String(length=40), nullable=True),
        sa.Column("password_hash", sa.String(length=200), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(role in ('client_approver', 'client_viewer')) = (client_id is not null)",
            name=op.f("ck_person_client_of_role"),
        ),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name=op.f("fk_person_client_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person")),
        sa.UniqueConstraint("organisation_id", "email_key", name=op.f("uq_person_organisation_id_email_key")),
    )
    op.create_index(op.f("ix_person_client_id"), "person", ["client_id"], unique=False)
    op.create_index(op.f("ix_person_email_key"), "person", ["email_key"], unique=False)
    op.create_index(op.f("ix_person_organisation_id"), "person", ["organisation_id"], unique=False)
    op.create_table(
        "webhook_delivery",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("organisation_id", sa.String(length=40), nullable=False),
        sa.Column("endpoint_id", sa.String(length=40), nullable=False),
        sa.Column("event_id", sa.String(length=40), nullable=False),
        sa.Column("event_type", sa.String(length=60), nullable=False),
        sa.Column(
            "state",
            sa.Enum("waiting", "delivered", "given_up", name="deliverystate", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("response_status", sa.Integer(), nullable=True),
        sa.Column("failure", sa.String(length=200), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("attempts >= tries and tries >= 0", name=op.f("ck_webhook_delivery_attempts_counted")),
        sa.ForeignKeyConstraint(["endpoint_id"], ["webhook_endpoint.id"], name=op.f("fk_webhook_delivery_endpoint_id")),
        sa.ForeignKeyConstraint(["event_id"], ["outbox_event.id"], name=op.f("fk_webhook_delivery_event_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_delivery")),
        sa.UniqueConstraint("endpoint_id", "event_id", name=op.f("uq_webhook_delivery_endpoint_id_event_id")),
    )
    op.create_index("ix_webhook_delivery_due", "webhook_delivery", ["state", "due_at"], unique=False)
    op.create_index(op.f("ix_webhook_delivery_event_id"), "webhook_delivery", ["event_id"], unique=False)
    op.create_index("ix_webhook_delivery_leased", "webhook_delivery", ["endpoint_id", "lease_until"], unique=False)
    op.create_index(op.f("ix_webhook_delivery_organisation_id"), "webhook_delivery", ["organisation_id"], unique=False)
    op.create_table(
        "alert",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("organisation_id", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("engagement_id", sa.String(length=40), nullable=False),
        sa.Column("client_id", sa.String(length=40), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("cost", "hours", "forecast", "gate_late", name="alertkind", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("phase", sa.String(length=40), nullable=False),
        sa.Column("threshold", sa.Integer(), nullable=False),
        sa.Column("text", sa.String(length=400), nullable=False),
        sa.Column("first_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("acknowledged_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("acknowledged_by", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name=op.f("fk_alert_client_id")),
        sa.ForeignKeyConstraint(["engagement_id"], ["engagement.id"], name=op.f("fk_alert_engagement_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert")),
        sa.UniqueConstraint(
            "engagement_id", "kind", "phase", "threshold", name=op.f("uq_alert_engagement_id_kind_phase_threshold")
        ),
    )
    op.create_index(op.f("ix_alert_organisation_id"), "alert", ["organisation_id"], unique=False)
    op.create_table(
        "brief_version",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("organisation_id", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("engagement_id", sa.String(length=40), nullable=False),
        sa.Column("client_id", sa.String(length=40), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("created_by", sa.String(length=40), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("number > 0", name=op.f("ck_brief_version_number_positive")),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name=op.f("fk_brief_version_client_id")),
        sa.ForeignKeyConstraint(["engagement_id"], ["engagement.id"], name=op.f("fk_brief_version_engagement_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_brief_version")),
        sa.UniqueConstraint("engagement_id", "number", name=op.f("uq_brief_version_engagement_id_number")),
    )
    op.create_index(op.f("ix_brief_version_client_id"), "brief_version", ["client_id"], unique=False)
    op.create_index(op.f("ix_brief_version_organisation_id"), "brief_version", ["organisation_id"], unique=False)
    op.create_table(
        "change_request",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("organisation_id", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("engagement_id", sa.String(length=40), nullable=False),
        sa.Column("client_id", sa.String(length=40), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("reason", sa.String(length=2000), nullable=False),
        sa.Column("origin", sa.String(length=20), nullable=False),
        sa.Column("raid_id", sa.String(length=40), nullable=True),
        sa.Column("trigger_key", sa.String(length=80), nullable=True),
        sa.Column("asks", sa.JSON(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "draft",
                "assessed",
                "approved",
                "sent",
                "agreed",
                "declined",
                "withdrawn",
                name="changestate",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("state_reason", sa.String(length=2000), nullable=False),
        sa.Column("on_baseline", sa.Integer(), nullable=False),
        sa.Column("brief_id", sa.String(length=40), nullable=True),
        sa.Column("impact", sa.JSON(), nullable=False),
        sa.Column("plan", sa.JSON(), nullable=False),
        sa.Column("budget", sa.JSON(), nullable=False),
        sa.Column("net_minor", sa.BigInteger(), nullable=True),
        sa.Column("gross_minor", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("days", sa.Integer(), nullable=True),
        sa.Column("created_by", sa.String(length=40), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("assessed_by", sa.String(length=40), nullable=True),
        sa.Column("approved_by", sa.String(length=40), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("signer_name", sa.String(length=200), nullable=False),
        sa.Column("signer_email", sa.String(length=255), nullable=False),
        sa.Column("on_behalf_by", sa.String(length=40), nullable=True),
        sa.Column("evidence", sa.String(length=2000), nullable=False),
        sa.Column("baseline_id", sa.String(length=40), nullable=True),
        sa.CheckConstraint("number > 0", name=op.f("ck_change_request_number_positive")),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name=op.f("fk_change_request_client_id")),
        sa.ForeignKeyConstraint(["engagement_id"], ["engagement.id"], name=op.f("fk_change_request_engagement_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_change_request")),
        sa.UniqueConstraint("engagement_id", "number", name=op.f("uq_change_request_engagement_id_number")),
        sa.UniqueConstraint("engagement_id", "trigger_key", name=op.f("uq_change_request_engagement_id_trigger_key")),
    )
    op.create_index(op.f("ix_change_request_client_id"), "change_request", ["client_id"], unique=False)
    op.create_index(op.f("ix_change_request_organisation_id"), "change_request", ["organisation_id"], unique=False)
    op.create_table(
        "checklist_mark",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("organisation_id", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("engagement_id", sa.String(length=40), nullable=False),
        sa.Column("client_id", sa.String(length=40), nullable=False),
        sa.Column(
            "phase",
            sa.Enum(
                "data_preparation",
                "baseline_evaluation",
                "training",
                "evaluation",
                "deployment",
                "management",
                name="phase",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("item", sa.String(length=60), nullable=False),
        sa.Column("done", sa.Boolean(), nullable=False),
        sa.Column("applies", sa.Boolean(), nullable=False),
        sa.Column("note", sa.String(length=2000), nullable=False),
        sa.Column("by", sa.String(length=40), nullable=False),
        sa.Column("by_name", sa.String(length=255), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name=op.f("fk_checklist_mark_client_id")),
        sa.ForeignKeyConstraint(["engagement_id"], ["engagement.id"], name=op.f("fk_checklist_mark_engagement_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_checklist_mark")),
        sa.UniqueConstraint("engagement_id", "phase", "item", name=op.f("uq_checklist_mark_engagement_id_phase_item")),
    )
    op.create_index(op.f("ix_checklist_mark_organisation_id"), "checklist_mark", ["organisation_id"], unique=False)
    op.create_table(
        "cost_entry",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("organisation_id", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("engagement_id", sa.String(length=40), nullable=False),
        sa.Column("client_id", sa.String(length=40), nullable=False),
        sa.Column(
            "phase",
            sa.Enum(
                "data_preparation",
                "baseline_evaluation",
                "training",
                "evaluation",
                "deployment",
                "management",
                name="phase",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column(
            "kind",
            sa.Enum(
                "compute", "labelling", "api_usage", "licence", "other", name="costkind", native_enum=False, length=40
            ),
            nullable=False,
        ),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("quantity", sa.String(length=40), nullable=False),
        sa.Column("unit", sa.String(length=40), nullable=False),
        sa.Column("price", sa.JSON(), nullable=False),
        sa.Column("note", sa.String(length=2000), nullable=False),
        sa.Column("billable", sa.Boolean(), nullable=False),
        sa.Column(
            "state",
            sa.Enum("open", "submitted", "approved", "invoiced", name="entrystate", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("state_reason", sa.String(length=2000), nullable=False),
        sa.Column("source", sa.String(length=20), nullable=False),
        sa.Column("external_id", sa.String(length=200), nullable=True),
        sa.Column("approved_by", sa.String(length=40), nullable=True),
        sa.Column("invoice_id", sa.String(length=40), nullable=True),
        sa.Column("created_by", sa.String(length=40), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name=op.f("fk_cost_entry_client_id")),
        sa.ForeignKeyConstraint(["engagement_id"], ["engagement.id"], name=op.f("fk_cost_entry_engagement_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cost_entry")),
        sa.UniqueConstraint(
            "engagement_id", "source", "external_id", name=op.f("uq_cost_entry_engagement_id_source_external_id")
        ),
    )
    op.create_index(op.f("ix_cost_entry_client_id"), "cost_entry", ["client_id"], unique=False)
    op.create_index(op.f("ix_cost_entry_invoice_id"), "cost_entry", ["invoice_id"], unique=False)
    op.create_index(op.f("ix_cost_entry_organisation_id"), "cost_entry", ["organisation_id"], unique=False)
    op.create_index("ix_cost_entry_phase", "cost_entry", ["engagement_id", "phase", "day"], unique=False)
    op.create_table(
        "criterion",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("organisation_id", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("engagement_id", sa.String(length=40), nullable=False),
        sa.Column("client_id", sa.String(length=40), nullable=False),
        sa.Column("code", sa.String(length=20), nullable=False),
        sa.Column("tier", sa.String(length=10), nullable=False),
        sa.Column("metric", sa.String(length=200), nullable=False),
        sa.Column("set_name", sa.String(length=200), nullable=False),
        sa.Column("set_digest", sa.String(length=64), nullable=False),
        sa.Column("operator", sa.String(length=20), nullable=False),
        sa.Column("threshold", sa.String(length=30), nullable=False),
        sa.Column("items", sa.Integer(), nullable=False),
        sa.Column("rule", sa.String(length=400), nullable=False),
        sa.Column("baseline", sa.String(length=30), nullable=True),
        sa.Column("paired", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name=op.f("fk_criterion_client_id")),
        sa.ForeignKeyConstraint(["engagement_id"], ["engagement.id"], name=op.f("fk_criterion_engagement_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_criterion")),
        sa.UniqueConstraint("engagement_id", "code", name=op.f("uq_criterion_engagement_id_code")),
    )
    op.create_index(op.f("ix_criterion_client_id"), "criterion", ["client_id"], unique=False)
    op.create_index(op.f("ix_criterion_organisation_id"), "criterion", ["organisation_id"], unique=False)
    op.create_table(
        "data_job",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("organisation_id", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("engagement_id", sa.String(length=40), nullable=False),
        sa.Column("client_id", sa.String(length=40), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "fetch",
                "import",
                "check",
                "split",
                "seal",
                "synthesise",
                "erase",
                name="jobkind",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column(
            "state",
            sa.Enum("queued", "running", "done", "failed", "cancelled", name="jobstate", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("subject_id", sa.String(length=40), nullable=False),
        sa.Column("options", sa.JSON(), nullable=False),
        sa.Column("result", sa.JSON(), nullable=False),
        sa.Column("error", sa.String(length=2000), nullable=False),
        sa.Column("cancel_asked", sa.Boolean(), nullable=False),
        sa.Column("actor", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name=op.f("fk_data_job_client_id")),
        sa.ForeignKeyConstraint(["engagement_id"], ["engagement.id"], name=op.f("fk_data_job_engagement_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_data_job")),
    )
    op.create_index(op.f("ix_data_job_engagement_id"), "data_job", ["engagement_id"], unique=False)
    op.create_index(op.f("ix_data_job_organisation_id"), "data_job", ["organisation_id"], unique=False)
    op.create_index(op.f("ix_data_job_state"), "data_job", ["state"], unique=False)
    op.create_index(op.f("ix_data_job_subject_id"), "data_job", ["subject_id"], unique=False)
    op.create_table(
        "data_source",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("organisation_id", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("engagement_id", sa.String(length=40), nullable=False),
        sa.Column("client_id", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "existing_work",
                "expert",
                "synthetic",
                "historical",
                "production",
                name="provenance",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("author", sa.String(length=255), nullable=False),
        sa.Column("licence", sa.String(length=255), nullable=False),
        sa.Column("generator", sa.String(length=255), nullable=False),
        sa.Column("consent", sa.String(length=2000), nullable=False),
        sa.Column("place", sa.String(length=2000), nullable=False),
        sa.Column("format", sa.String(length=40), nullable=False),
        sa.Column("encoding", sa.String(length=40), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("mapping", sa.JSON(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "fetching",
                "new",
                "importing",
                "imported",
                "failed",
                "cancelled",
                "removed",
                name="sourcestate",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("rows_in", sa.Integer(), nullable=False),
        sa.Column("kept", sa.Integer(), nullable=False),
        sa.Column("dropped", sa.JSON(), nullable=False),
        sa.Column("problems", sa.JSON(), nullable=False),
        sa.Column("created_by", sa.String(length=40), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name=op.f("fk_data_source_client_id")),
        sa.ForeignKeyConstraint(["engagement_id"], ["engagement.id"], name=op.f("fk_data_source_engagement_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_data_source")),
    )
    op.create_index(op.f("ix_data_source_engagement_id"), "data_source", ["engagement_id"], unique=False)
    op.create_index(op.f("ix_data_source_organisation_id"), "data_source", ["organisation_id"], unique=False)
    op.create_table(
        "dataset_version",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("organisation_id", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("engagement_id", sa.String(length=40), nullable=False),
        sa.Column("client_id", sa.String(length=40), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("parent_id", sa.String(length=40), nullable=True),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("policy", sa.JSON(), nullable=False),
        sa.Column("splits", sa.JSON(), nullable=False),
        sa.Column("leakage", sa.JSON(), nullable=False),
        sa.Column("report", sa.JSON(), nullable=False),
        sa.Column("card", sa.JSON(), nullable=False),
        sa.Column("card_sha256", sa.String(length=64), nullable=False),
        sa.Column("evidence_id", sa.String(length=40), nullable=True),
        sa.Column("note", sa.String(length=2000), nullable=False),
        sa.Column("erased", sa.Integer(), nullable=False),
        sa.Column("sealed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sealed_by", sa.String(length=40), nullable=False),
        sa.Column("sealed_by_name", sa.String(length=255), nullable=False),
        sa.CheckConstraint("number > 0", name=op.f("ck_dataset_version_positive")),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name=op.f("fk_dataset_version_client_id")),
        sa.ForeignKeyConstraint(["engagement_id"], ["engagement.id"], name=op.f("fk_dataset_version_engagement_id")),
        sa.ForeignKeyConstraint(["parent_id"], ["dataset_version.id"], name=op.f("fk_dataset_version_parent_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dataset_version")),
        sa.UniqueConstraint("engagement_id", "number", name=op.f("uq_dataset_version_engagement_id_number")),
    )
    op.create_index(op.f("ix_dataset_version_client_id"), "dataset_version", ["client_id"], unique=False)
    op.create_index(op.f("ix_dataset_version_organisation_id"), "dataset_version", ["organisation_id"], unique=False)
    op.create_table(
        "deliverable_record",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("organisation_id", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("engagement_id", sa.String(length=40), nullable=False),
        sa.Column("client_id", sa.String(length=40), nullable=False),
        sa.Column(
            "phase",
            sa.Enum(
                "data_preparation",
                "baseline_evaluation",
                "training",
                "evaluation",
                "deployment",
                "management",
                name="phase",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("code", sa.String(length=20), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("format", sa.String(length=200), nullable=False),
        sa.Column("acceptance", sa.String(length=400), nullable=False),
        sa.Column("reviewer", sa.String(length=200), nullable=False),
        sa.Column("due", sa.Date(), nullable=True),
        sa.Column("owner_id", sa.String(length=40), nullable=True),
        sa.Column(
            "state",
            sa.Enum(
                "draft",
                "internal_review",
                "submitted",
                "accepted",
                "accepted_with_reservations",
                "rejected",
                name="deliverablestate",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("edition", sa.Integer(), nullable=False),
        sa.Column("link", sa.String(length=500), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("prepared_by", sa.String(length=40), nullable=False),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by_name", sa.String(length=200), nullable=False),
        sa.Column("on_behalf_by", sa.String(length=40), nullable=True),
        sa.Column("evidence", sa.String(length=2000), nullable=False),
        sa.Column("reason", sa.String(length=2000), nullable=False),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name=op.f("fk_deliverable_record_client_id")),
        sa.ForeignKeyConstraint(["engagement_id"], ["engagement.id"], name=op.f("fk_deliverable_record_engagement_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deliverable_record")),
        sa.UniqueConstraint("engagement_id", "code", name=op.f("uq_deliverable_record_engagement_id_code")),
    )
    op.create_index(op.f("ix_deliverable_record_client_id"), "deliverable_record", ["client_id"], unique=False)
    op.create_index(
        op.f("ix_deliverable_record_organisation_id"), "deliverable_record", ["organisation_id"], unique=False
    )
    op.create_table(
        "erasure",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("organisation_id", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("engagement_id", sa.String(length=40), nullable=False),
        sa.Column("client_id", sa.String(length=40), nullable=False),
        sa.Column("request", sa.String(length=200), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("found", sa.JSON(), nullable=False),
        sa.Column("state", sa.Enum("open", "done", name="erasurestate", native_enum=False, length=40), nullable=False),
        sa.Column("by", sa.String(length=40), nullable=False),
        sa.Column("by_name", sa.String(length=255), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name=op.f("fk_erasure_client_id")),
        sa.ForeignKeyConstraint(["engagement_id"], ["engagement.id"], name=op.f("fk_erasure_engagement_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_erasure")),
    )
    op.create_index(op.f("ix_erasure_engagement_id"), "erasure", ["engagement_id"], unique=False)
    op.create_index(op.f("ix_erasure_organisation_id"), "erasure", ["organisation_id"], unique=False)
    op.create_table(
        "evidence_record",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("organisation_id", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("engagement_id", sa.String(length=40), nullable=False),
        sa.Column("client_id", sa.String(length=40), nullable=False),
        sa.Column(
            "phase",
            sa.Enum(
                "data_preparation",
                "baseline_evaluation",
                "training",
                "evaluation",
                "deployment",
                "management",
                name="phase",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "dataset_version",
                "evaluation_run",
                "comparison",
                "training_run",
                "deployment",
                "drift_check",
                name="evidencekind",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("external_id", sa.String(length=200), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("source", sa.String(length=200), nullable=False),
        sa.Column("measured_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("supersedes", sa.String(length=40), nullable=True),
        sa.Column("recorded_by", sa.String(length=40), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name=op.f("fk_evidence_record_client_id")),
        sa.ForeignKeyConstraint(["engagement_id"], ["engagement.id"], name=op.f("fk_evidence_record_engagement_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_evidence_record")),
        sa.UniqueConstraint(
            "engagement_id", "kind", "external_id", name=op.f("uq_evidence_record_engagement_id_kind_external_id")
        ),
    )
    op.create_index(op.f("ix_evidence_record_client_id"), "evidence_record", ["client_id"], unique=False)
    op.create_index(op.f("ix_evidence_record_organisation_id"), "evidence_record", ["organisation_id"], unique=False)
    op.create_table(
        "experiment",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("organisation_id", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("engagement_id", sa.String(length=40), nullable=False),
        sa.Column("client_id", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("dataset_version_id", sa.String(length=40), nullable=False),
        sa.Column("dataset_sha256", sa.String(length=64), nullable=False),
        sa.Column("matrix", sa.JSON(), nullable=False),
        sa.Column("curated", sa.JSON(), nullable=True),
        sa.Column("metric", sa.String(length=60), nullable=False),
        sa.Column("answer_tokens_max", sa.Integer(), nullable=True),
        sa.Column("scored_rows_max", sa.Integer(), nullable=False),
        sa.Column(
            "strategy",
            sa.Enum("all", "successive_halving", name="strategy", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("cap_minor", sa.BigInteger(), nullable=True),
        sa.Column("cap_tokens", sa.BigInteger(), nullable=True),
        sa.Column("cap_hours", sa.Float(), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column(
            "state",
            sa.Enum("planned", "running", "done", "cancelled", name="experimentstate", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("cancel_asked", sa.Boolean(), nullable=False),
        sa.Column("rung", sa.Integer(), nullable=False),
        sa.Column("decisions", sa.JSON(), nullable=False),
        sa.Column("chosen_run_id", sa.String(length=40), nullable=True),
        sa.Column("choice", sa.JSON(), nullable=True),
        sa.Column("error", sa.String(length=2000), nullable=False),
        sa.Column("created_by", sa.String(length=40), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("cap_hours is null or cap_hours > 0", name=op.f("ck_experiment_hours_positive")),
        sa.CheckConstraint(
            "cap_minor is not null or cap_tokens is not null or cap_hours is not null",
            name=op.f("ck_experiment_capped"),
        ),
        sa.CheckConstraint("cap_minor is null or cap_minor > 0", name=op.f("ck_experiment_cap_positive")),
        sa.CheckConstraint("cap_tokens is null or cap_tokens > 0", name=op.f("ck_experiment_tokens_positive")),
        sa.CheckConstraint("rung >= 0", name=op.f("ck_experiment_rung_counts")),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name=op.f("fk_experiment_client_id")),
        sa.ForeignKeyConstraint(["engagement_id"], ["engagement.id"], name=op.f("fk_experiment_engagement_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_experiment")),
    )
    op.create_index(op.f("ix_experiment_dataset_version_id"), "experiment", ["dataset_version_id"], unique=False)
    op.create_index(op.f("ix_experiment_engagement_id"), "experiment", ["engagement_id"], unique=False)
    op.create_index(op.f("ix_experiment_organisation_id"), "experiment", ["organisation_id"], unique=False)
    op.create_index(op.f("ix_experiment_state"), "experiment", ["state"], unique=False)
    op.create_table(
        "gate_decision",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("organisation_id", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("engagement_id", sa.String(length=40), nullable=False),
        sa.Column("client_id", sa.String(length=40), nullable=False),
        sa.Column(
            "phase",
            sa.Enum(
                "data_preparation",
                "baseline_evaluation",
                "training",
                "evaluation",
                "deployment",
                "management",
                name="phase",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("sitting", sa.Integer(), nullable=False),
        sa.Column(
            "verdict",
            sa.Enum(
                "go", "go_with_conditions", "hold", "recycle", "stop", name="verdict", native_enum=False, length=40
            ),
            nullable=False,
        ),
        sa.Column(
            "state",
            sa.Enum("awaiting_client", "final", "refused", name="gatestate", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("reason", sa.String(length=2000), nullable=False),
        sa.Column("findings", sa.JSON(), nullable=False),
        sa.Column("overridden", sa.JSON(), nullable=False),
        sa.Column("override_reason", sa.String(length=2000), nullable=False),
        sa.Column("review_on", sa.Date(), nullable=True),
        sa.Column("decided_by", sa.String(length=40), nullable=False),
        sa.Column("decided_by_name", sa.String(length=255), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("cosigned_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cosigned_by", sa.String(length=40), nullable=False),
        sa.Column("cosigned_by_name", sa.String(length=255), nullable=False),
        sa.Column("cosign_evidence", sa.String(length=2000), nullable=False),
        sa.Column("cosign_reason", sa.String(length=2000), nullable=False),
        sa.CheckConstraint("sitting > 0", name=op.f("ck_gate_decision_sitting_positive")),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name=op.f("fk_gate_decision_client_id")),
        sa.ForeignKeyConstraint(["engagement_id"], ["engagement.id"], name=op.f("fk_gate_decision_engagement_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gate_decision")),
        sa.UniqueConstraint(
            "engagement_id", "phase", "sitting", name=op.f("uq_gate_decision_engagement_id_phase_sitting")
        ),
    )
    op.create_index(op.f("ix_gate_decision_client_id"), "gate_decision", ["client_id"], unique=False)
    op.create_index(op.f("ix_gate_decision_organisation_id"), "gate_decision", ["organisation_id"], unique=False)
    op.create_table(
        "invoice",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("organisation_id", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("engagement_id", sa.String(length=40), nullable=False),
        sa.Column("client_id", sa.String(length=40), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("lines", sa.JSON(), nullable=False),
        sa.Column("net_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("created_by", sa.String(length=40), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name=op.f("fk_invoice_client_id")),
        sa.ForeignKeyConstraint(["engagement_id"], ["engagement.id"], name=op.f("fk_invoice_engagement_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invoice")),
        sa.UniqueConstraint("organisation_id", "number", name=op.f("uq_invoice_organisation_id_number")),
    )
    op.create_index(op.f("ix_invoice_engagement_id"), "invoice", ["engagement_id"], unique=False)
    op.create_index(op.f("ix_invoice_organisation_id"), "invoice", ["organisation_id"], unique=False)
    op.create_table(
        "milestone",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("organisation_id", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("engagement_id", sa.String(length=40), nullable=False),
        sa.Column("client_id", sa.String(length=40), nullable=False),
        sa.Column("code", sa.String(length=20), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("payment", "client_input", "other", name="milestonekind", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("name", sa.String(length=400), nullable=False),
        sa.Column(
            "phase",
            sa.Enum(
                "data_preparation",
                "baseline_evaluation",
                "training",
                "evaluation",
                "deployment",
                "management",
                name="phase",
                native_enum=False,
                length=40,
            ),
            nullable=True,
        ),
        sa.Column("gate", sa.Integer(), nullable=True),
        sa.Column("month", sa.Integer(), nullable=True),
        sa.Column("agreed_on", sa.Date(), nullable=True),
        sa.Column("planned_on", sa.Date(), nullable=True),
        sa.Column("reached_on", sa.Date(), nullable=True),
        sa.Column("note", sa.String(length=2000), nullable=False),
        sa.Column("net_minor", sa.BigInteger(), nullable=True),
        sa.Column("gross_minor", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name=op.f("fk_milestone_client_id")),
        sa.ForeignKeyConstraint(["engagement_id"], ["engagement.id"], name=op.f("fk_milestone_engagement_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_milestone")),
        sa.UniqueConstraint("engagement_id", "code", name=op.f("uq_milestone_engagement_id_code")),
    )
    op.create_index(op.f("ix_milestone_client_id"), "milestone", ["client_id"], unique=False)
    op.create_index(op.f("ix_milestone_organisation_id"), "milestone", ["organisation_id"], unique=False)
    op.create_table(
        "model_version",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("organisation_id", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("engagement_id", sa.String(length=40), nullable=False),
        sa.Column("client_id", sa.String(length=40), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("experiment_id", sa.String(length=40), nullable=False),
        sa.Column("run_id", sa.String(length=40), nullable=False),
        sa.Column("backend", sa.String(length=60), nullable=False),
        sa.Column("base_model", sa.String(length=500), nullable=False),
        sa.Column("model", sa.String(length=500), nullable=False),
        sa.Column("checkpoint_id", sa.String(length=200), nullable=False),
        sa.Column("checkpoint_sha256", sa.String(length=64), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(length=2000), nullable=False),
        sa.Column("is_candidate", sa.Boolean(), nullable=False),
        sa.Column("dataset_version_id", sa.String(length=40), nullable=False),
        sa.Column("dataset_sha256", sa.String(length=64), nullable=False),
        sa.Column("spec", sa.JSON(), nullable=False),
        sa.Column("config_sha256", sa.String(length=64), nullable=False),
        sa.Column("seed", sa.Integer(), nullable=False),
        sa.Column("environment", sa.JSON(), nullable=False),
        sa.Column("metrics", sa.JSON(), nullable=False),
        sa.Column("parent_id", sa.String(length=40), nullable=True),
        sa.Column("record_sha256", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("number > 0", name=op.f("ck_model_version_positive")),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name=op.f("fk_model_version_client_id")),
        sa.ForeignKeyConstraint(["engagement_id"], ["engagement.id"], name=op.f("fk_model_version_engagement_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_model_version")),
        sa.UniqueConstraint("engagement_id", "number", name=op.f("uq_model_version_engagement_id_number")),
        sa.UniqueConstraint("run_id", name=op.f("uq_model_version_run_id")),
    )
    op.create_index(op.f("ix_model_version_client_id"), "model_version", ["client_id"], unique=False)
    op.create_index(op.f("ix_model_version_dataset_version_id"), "model_version", ["dataset_version_id"], unique=False)
    op.create_index(op.f("ix_model_version_experiment_id"), "model_version", ["experiment_id"], unique=False)
    op.create_index(op.f("ix_model_version_organisation_id"), "model_version", ["organisation_id"], unique=False)
    op.create_table(
        "one_time_link",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.String(length=40), nullable=False),
        sa.Column(
            "purpose",
            sa.Enum("sign_in", "new_password", name="linkpurpose", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["person.id"], name=op.f("fk_one_time_link_user_id")),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_one_time_link")),
    )
    op.create_table(
        "phase_record",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("organisation_id", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("engagement_id", sa.String(length=40), nullable=False),
        sa.Column("client_id", sa.String(length=40), nullable=False),
        sa.Column(
            "phase",
            sa.Enum(
                "data_preparation",
                "baseline_evaluation",
                "training",
                "evaluation",
                "deployment",
                "management",
                name="phase",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column(
            "state",
            sa.Enum(
                "planned",
                "ready",
                "in_progress",
                "blocked",
                "gate_review",
                "done",
                "stopped",
                name="phasestate",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("owner_id", sa.String(length=40), nullable=True),
        sa.Column("cosigned", sa.Boolean(), nullable=False),
        sa.Column("planned_begin", sa.Date(), nullable=True),
        sa.Column("planned_work_end", sa.Date(), nullable=True),
        sa.Column("planned_gate", sa.Date(), nullable=True),
        sa.Column("actual_begin", sa.Date(), nullable=True),
        sa.Column("actual_end", sa.Date(), nullable=True),
        sa.Column("blocked_reason", sa.String(length=2000), nullable=False),
        sa.Column("blocked_since", sa.Date(), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("round > 0", name=op.f("ck_phase_record_round_positive")),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name=op.f("fk_phase_record_client_id")),
        sa.ForeignKeyConstraint(["engagement_id"], ["engagement.id"], name=op.f("fk_phase_record_engagement_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_phase_record")),
        sa.UniqueConstraint("engagement_id", "phase", name=op.f("uq_phase_record_engagement_id_phase")),
    )
    op.create_index(op.f("ix_phase_record_client_id"), "phase_record", ["client_id"], unique=False)
    op.create_index(op.f("ix_phase_record_organisation_id"), "phase_record", ["organisation_id"], unique=False)
    op.create_index(op.f("ix_phase_record_owner_id"), "phase_record", ["owner_id"], unique=False)
    op.create_table(
        "plan_change",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("organisation_id", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("engagement_id", sa.String(length=40), nullable=False),
        sa.Column("client_id", sa.String(length=40), nullable=False),
        sa.Column(
            "phase",
            sa.Enum(
                "data_preparation",
                "baseline_evaluation",
                "training",
                "evaluation",
                "deployment",
                "management",
                name="phase",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("reason", sa.String(length=2000), nullable=False),
        sa.Column("by_client", sa.Boolean(), nullable=False),
        sa.Column("moves", sa.JSON(), nullable=False),
        sa.Column("along", sa.JSON(), nullable=False),
        sa.Column("created_by", sa.String(length=40), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name=op.f("fk_plan_change_client_id")),
        sa.ForeignKeyConstraint(["engagement_id"], ["engagement.id"], name=op.f("fk_plan_change_engagement_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan_change")),
    )
    op.create_index(op.f("ix_plan_change_engagement_id"), "plan_change", ["engagement_id"], unique=False)
    op.create_index(op.f("ix_plan_change_organisation_id"), "plan_change", ["organisation_id"], unique=False)
    op.create_table(
        "raid_item",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("organisation_id", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("engagement_id", sa.String(length=40), nullable=False),
        sa.Column("client_id", sa.String(length=40), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("risk", "assumption", "issue", "decision", name="raidkind", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("code", sa.String(length=20), nullable=False),
        sa.Column("title", sa.String(length=400), nullable=False),
        sa.Column("text", sa.String(length=2000), nullable=False),
        sa.Column("probability", sa.String(length=10), nullable=False),
        sa.Column("impact", sa.String(length=10), nullable=False),
        sa.Column("response", sa.String(length=2000), nullable=False),
        sa.Column("owner_id", sa.String(length=40), nullable=True),
        sa.Column("owner_name", sa.String(length=200), nullable=False),
        sa.Column("due", sa.Date(), nullable=True),
        sa.Column("trigger", sa.JSON(), nullable=False),
        sa.Column("client_sees", sa.Boolean(), nullable=False),
        sa.Column(
            "state",
            sa.Enum("open", "closed", "held", "broken", name="raidstate", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("outcome", sa.String(length=2000), nullable=False),
        sa.Column("change_id", sa.String(length=40), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name=op.f("fk_raid_item_client_id")),
        sa.ForeignKeyConstraint(["engagement_id"], ["engagement.id"], name=op.f("fk_raid_item_engagement_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_raid_item")),
        sa.UniqueConstraint("engagement_id", "code", name=op.f("uq_raid_item_engagement_id_code")),
    )
    op.create_index(op.f("ix_raid_item_client_id"), "raid_item", ["client_id"], unique=False)
    op.create_index(op.f("ix_raid_item_organisation_id"), "raid_item", ["organisation_id"], unique=False)
    op.create_table(
        "rate_snapshot",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("organisation_id", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("engagement_id", sa.String(length=40), nullable=False),
        sa.Column("client_id", sa.String(length=40), nullable=False),
        sa.Column("role", sa.String(length=60), nullable=False),
        sa.Column("from_day", sa.Date(), nullable=False),
        sa.Column("cost_minor", sa.BigInteger(), nullable=False),
        sa.Column("price_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("source", sa.String(length=400), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("cost_minor >= 0 and price_minor >= 0", name=op.f("ck_rate_snapshot_not_negative")),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name=op.f("fk_rate_snapshot_client_id")),
        sa.ForeignKeyConstraint(["engagement_id"], ["engagement.id"], name=op.f("fk_rate_snapshot_engagement_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rate_snapshot")),
        sa.UniqueConstraint(
            "engagement_id", "role", "from_day", name=op.f("uq_rate_snapshot_engagement_id_role_from_day")
        ),
    )
    op.create_index(op.f("ix_rate_snapshot_organisation_id"), "rate_snapshot", ["organisation_id"], unique=False)
    op.create_table(
        "review_round",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("organisation_id", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("engagement_id", sa.String(length=40), nullable=False),
        sa.Column("client_id", sa.String(length=40), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("guideline", sa.Text(), nullable=False),
        sa.Column("overlap", sa.Integer(), nullable=False),
        sa.Column("reviewers", sa.JSON(), nullable=False),
        sa.Column("target", sa.Float(), nullable=False),
        sa.Column("state", sa.Enum("open", "closed", name="roundstate", native_enum=False, length=40), nullable=False),
        sa.Column("seed", sa.Integer(), nullable=False),
        sa.Column("selection", sa.JSON(), nullable=False),
        sa.Column("created_by", sa.String(length=40), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("overlap > 0", name=op.f("ck_review_round_overlap_positive")),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name=op.f("fk_review_round_client_id")),
        sa.ForeignKeyConstraint(["engagement_id"], ["engagement.id"], name=op.f("fk_review_round_engagement_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review_round")),
        sa.UniqueConstraint("engagement_id", "number", name=op.f("uq_review_round_engagement_id_number")),
    )
    op.create_index(op.f("ix_review_round_organisation_id"), "review_round", ["organisation_id"], unique=False)
    op.create_table(
        "standing",
        sa.Column("engagement_id", sa.String(length=40), nullable=False),
        sa.Column("organisation_id", sa.String(length=40), nullable=False),
        sa.Column("client_id", sa.String(length=40), nullable=False),
        sa.Column("steps", sa.String(length=60), nullable=False),
        sa.Column(
            "phase",
            sa.Enum(
                "data_preparation",
                "baseline_evaluation",
                "training",
                "evaluation",
                "deployment",
                "management",
                name="phase",
                native_enum=False,
                length=40,
            ),
            nullable=True,
        ),
        sa.Column(
            "state",
            sa.Enum(
                "planned",
                "ready",
                "in_progress",
                "blocked",
                "gate_review",
                "done",
                "stopped",
                name="phasestate",
                native_enum=False,
                length=40,
            ),
            nullable=True,
        ),
        sa.Column("phase_owner_id", sa.String(length=40), nullable=True),
        sa.Column("planned_gate", sa.Date(), nullable=True),
        sa.Column("agreed_gate", sa.Date(), nullable=True),
        sa.Column("late_gate", sa.Date(), nullable=True),
        sa.Column("planned_end", sa.Date(), nullable=True),
        sa.Column("agreed_end", sa.Date(), nullable=True),
        sa.Column("next_due", sa.Date(), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("budget_minor", sa.BigInteger(), nullable=True),
        sa.Column("budget_late_minor", sa.BigInteger(), nullable=True),
        sa.Column("allowed_minor", sa.BigInteger(), nullable=True),
        sa.Column("spent_minor", sa.BigInteger(), nullable=False),
        sa.Column("spent_unknown", sa.Integer(), nullable=False),
        sa.Column("earned_minor", sa.BigInteger(), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("budget_minutes", sa.Integer(), nullable=True),
        sa.Column("open_changes", sa.Integer(), nullable=False),
        sa.Column("open_alerts", sa.Integer(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["engagement_id"], ["engagement.id"], name=op.f("fk_standing_engagement_id")),
        sa.PrimaryKeyConstraint("engagement_id", name=op.f("pk_standing")),
    )
    op.create_index("ix_standing_of", "standing", ["organisation_id", "engagement_id"], unique=False)
    op.create_table(
        "status_report",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("organisation_id", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("engagement_id", sa.String(length=40), nullable=False),
        sa.Column("client_id", sa.String(length=40), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("since", sa.Date(), nullable=True),
        sa.Column(
            "health",
            sa.Enum("on_track", "at_risk", "late", "unknown", name="health", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("summary", sa.String(length=2000), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("pdf_sha256", sa.String(length=64), nullable=False),
        sa.Column("created_by", sa.String(length=40), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("number > 0", name=op.f("ck_status_report_number_positive")),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name=op.f("fk_status_report_client_id")),
        sa.ForeignKeyConstraint(["engagement_id"], ["engagement.id"], name=op.f("fk_status_report_engagement_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_status_report")),
        sa.UniqueConstraint("engagement_id", "number", name=op.f("uq_status_report_engagement_id_number")),
    )
    op.create_index(op.f("ix_status_report_client_id"), "status_report", ["client_id"], unique=False)
    op.create_index(op.f("ix_status_report_organisation_id"), "status_report", ["organisation_id"], unique=False)
    op.create_table(
        "synthesis_run",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("organisation_id", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("engagement_id", sa.String(length=40), nullable=False),
        sa.Column("client_id", sa.String(length=40), nullable=False),
        sa.Column("endpoint", sa.String(length=500), nullable=False),
        sa.Column("model", sa.String(length=200), nullable=False),
        sa.Column("plan", sa.JSON(), nullable=False),
        sa.Column("prompt", sa.Text(), nullable=False),
        sa.Column("cap_minor", sa.BigInteger(), nullable=True),
        sa.Column("cap_tokens", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("price", sa.JSON(), nullable=True),
        sa.Column("worst_minor", sa.BigInteger(), nullable=True),
        sa.Column("worst_tokens", sa.BigInteger(), nullable=True),
        sa.Column(
            "state",
            sa.Enum(
                "planned", "running", "done", "stopped", "failed", name="synthesisstate", native_enum=False, length=40
            ),
            nullable=False,
        ),
        sa.Column("asked", sa.Integer(), nullable=False),
        sa.Column("answered", sa.Integer(), nullable=False),
        sa.Column("generated", sa.Integer(), nullable=False),
        sa.Column("dropped", sa.JSON(), nullable=False),
        sa.Column("samples", sa.JSON(), nullable=False),
        sa.Column("kept", sa.Integer(), nullable=False),
        sa.Column("unjudged", sa.Integer(), nullable=False),
        sa.Column("judge_check", sa.JSON(), nullable=True),
        sa.Column("estimated", sa.Integer(), nullable=False),
        sa.Column("input_tokens", sa.BigInteger(), nullable=False),
        sa.Column("output_tokens", sa.BigInteger(), nullable=False),
        sa.Column("spent_minor", sa.BigInteger(), nullable=True),
        sa.Column("lost_tokens", sa.BigInteger(), nullable=False),
        sa.Column("lost_minor", sa.BigInteger(), nullable=True),
        sa.Column("job_id", sa.String(length=40), nullable=True),
        sa.Column("source_id", sa.String(length=40), nullable=True),
        sa.Column("cost_id", sa.String(length=40), nullable=True),
        sa.Column("error", sa.String(length=2000), nullable=False),
        sa.Column("created_by", sa.String(length=40), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("cap_minor > 0 or cap_tokens > 0", name=op.f("ck_synthesis_run_capped")),
        sa.CheckConstraint("cap_minor is null or cap_minor > 0", name=op.f("ck_synthesis_run_cap_positive")),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name=op.f("fk_synthesis_run_client_id")),
        sa.ForeignKeyConstraint(["engagement_id"], ["engagement.id"], name=op.f("fk_synthesis_run_engagement_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_synthesis_run")),
    )
    op.create_index(op.f("ix_synthesis_run_engagement_id"), "synthesis_run", ["engagement_id"], unique=False)
    op.create_index(op.f("ix_synthesis_run_organisation_id"), "synthesis_run", ["organisation_id"], unique=False)
    op.create_table(
        "time_entry",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("organisation_id", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("engagement_id", sa.String(length=40), nullable=False),
        sa.Column("client_id", sa.String(length=40), nullable=False),
        sa.Column(
            "phase",
            sa.Enum(
                "data_preparation",
                "baseline_evaluation",
                "training",
                "evaluation",
                "deployment",
                "management",
                name="phase",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("person_id", sa.String(length=40), nullable=False),
        sa.Column("role", sa.String(length=60), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("note", sa.String(length=2000), nullable=False),
        sa.Column("billable", sa.Boolean(), nullable=False),
        sa.Column(
            "state",
            sa.Enum("open", "submitted", "approved", "invoiced", name="entrystate", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("state_reason", sa.String(length=2000), nullable=False),
        sa.Column("cost_minor", sa.BigInteger(), nullable=True),
        sa.Column("price_minor", sa.BigInteger(), nullable=True),
        sa.Column("spent_minor", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("source", sa.String(length=20), nullable=False),
        sa.Column("external_id", sa.String(length=200), nullable=True),
        sa.Column("adjusts", sa.String(length=40), nullable=True),
        sa.Column("approved_by", sa.String(length=40), nullable=True),
        sa.Column("invoice_id", sa.String(length=40), nullable=True),
        sa.Column("created_by", sa.String(length=40), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("minutes <> 0 and minutes between -1440 and 1440", name=op.f("ck_time_entry_within_a_day")),
        sa.CheckConstraint("minutes > 0 or adjusts is not null", name=op.f("ck_time_entry_taken_back_from")),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name=op.f("fk_time_entry_client_id")),
        sa.ForeignKeyConstraint(["engagement_id"], ["engagement.id"], name=op.f("fk_time_entry_engagement_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_time_entry")),
        sa.UniqueConstraint(
            "engagement_id", "source", "external_id", name=op.f("uq_time_entry_engagement_id_source_external_id")
        ),
    )
    op.create_index(op.f("ix_time_entry_adjusts"), "time_entry", ["adjusts"], unique=False)
    op.create_index(op.f("ix_time_entry_client_id"), "time_entry", ["client_id"], unique=False)
    op.create_index(op.f("ix_time_entry_invoice_id"), "time_entry", ["invoice_id"], unique=False)
    op.create_index(op.f("ix_time_entry_organisation_id"), "time_entry", ["organisation_id"], unique=False)
    op.create_index("ix_time_entry_phase", "time_entry", ["engagement_id", "phase", "day"], unique=False)
    op.create_index("ix_time_entry_week", "time_entry", ["person_id", "day"], unique=False)
    op.create_table(
        "upload",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("organisation_id", sa.String(length=40), nullable=False),
        sa.Column("engagement_id", sa.String(length=40), nullable=False),
        sa.Column("client_id", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("received", sa.BigInteger(), nullable=False),
        sa.Column(
            "state",
            sa.Enum("receiving", "complete", "abandoned", name="uploadstate", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("created_by", sa.String(length=40), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("received >= 0 and received <= size_bytes", name=op.f("ck_upload_received_in_size")),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name=op.f("fk_upload_client_id")),
        sa.ForeignKeyConstraint(["engagement_id"], ["engagement.id"], name=op.f("fk_upload_engagement_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_upload")),
    )
    op.create_index(op.f("ix_upload_engagement_id"), "upload", ["engagement_id"], unique=False)
    op.create_index(op.f("ix_upload_organisation_id"), "upload", ["organisation_id"], unique=False)
    op.create_table(
        "user_session",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.String(length=40), nullable=False),
        sa.Column("csrf", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ip", sa.String(length=64), nullable=False),
        sa.Column("agent", sa.String(length=400), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["person.id"], name=op.f("fk_user_session_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_session")),
    )
    op.create_index(op.f("ix_user_session_user_id"), "user_session", ["user_id"], unique=False)
    op.create_table(
        "acknowledgement",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("organisation_id", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("engagement_id", sa.String(length=40), nullable=False),
        sa.Column("client_id", sa.String(length=40), nullable=False),
        sa.Column("job_id", sa.String(length=40), nullable=False),
        sa.Column("examples", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("note", sa.String(length=2000), nullable=False),
        sa.Column("by", sa.String(length=40), nullable=False),
        sa.Column("by_name", sa.String(length=255), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name=op.f("fk_acknowledgement_client_id")),
        sa.ForeignKeyConstraint(["engagement_id"], ["engagement.id"], name=op.f("fk_acknowledgement_engagement_id")),
        sa.ForeignKeyConstraint(["job_id"], ["data_job.id"], name=op.f("fk_acknowledgement_job_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_acknowledgement")),
    )
    op.create_index(op.f("ix_acknowledgement_engagement_id"), "acknowledgement", ["engagement_id"], unique=False)
    op.create_index(op.f("ix_acknowledgement_organisation_id"), "acknowledgement", ["organisation_id"], unique=False)
    op.create_table(
        "data_job_progress",
        sa.Column("job_id", sa.String(length=40), nullable=False),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("step", sa.String(length=200), nullable=False),
        sa.Column("done", sa.BigInteger(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["job_id"], ["data_job.id"], name=op.f("fk_data_job_progress_job_id")),
        sa.PrimaryKeyConstraint("job_id", name=op.f("pk_data_job_progress")),
    )
    op.create_table(
        "estimate_version",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("organisation_id", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("engagement_id", sa.String(length=40), nullable=False),
        sa.Column("client_id", sa.String(length=40), nullable=False),
        sa.Column("brief_id", sa.String(length=40), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("price_book", sa.String(length=64), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("summary", sa.JSON(), nullable=False),
        sa.Column("created_by", sa.String(length=40), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("number > 0", name=op.f("ck_estimate_version_number_positive")),
        sa.ForeignKeyConstraint(["brief_id"], ["brief_version.id"], name=op.f("fk_estimate_version_brief_id")),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name=op.f("fk_estimate_version_client_id")),
        sa.ForeignKeyConstraint(["engagement_id"], ["engagement.id"], name=op.f("fk_estimate_version_engagement_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_estimate_version")),
        sa.UniqueConstraint("engagement_id", "number", name=op.f("uq_estimate_version_engagement_id_number")),
    )
    op.create_index(op.f("ix_estimate_version_brief_id"), "estimate_version", ["brief_id"], unique=False)
    op.create_index(op.f("ix_estimate_version_client_id"), "estimate_version", ["client_id"], unique=False)
    op.create_index(op.f("ix_estimate_version_organisation_id"), "estimate_version", ["organisation_id"], unique=False)
    op.create_table(
        "example",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("organisation_id", sa.String(length=40), nullable=False),
        sa.Column("engagement_id", sa.String(length=40), nullable=False),
        sa.Column("client_id", sa.String(length=40), nullable=False),
        sa.Column("source_id", sa.String(length=40), nullable=False),
        sa.Column("row_number", sa.Integer(), nullable=False),
        sa.Column("record_id", sa.String(length=200), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("label", sa.String(length=400), nullable=True),
        sa.Column("group_key", sa.String(length=400), nullable=True),
        sa.Column(
            "state",
            sa.Enum("pending", "accepted", "rejected", "excluded", name="examplestate", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("state_reason", sa.String(length=400), nullable=False),
        sa.Column("duplicate_of", sa.String(length=40), nullable=True),
        sa.Column("cluster", sa.String(length=40), nullable=True),
        sa.Column("score", sa.Integer(), nullable=True),
        sa.Column("findings", sa.JSON(), nullable=False),
        sa.Column("is_edited", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name=op.f("fk_example_client_id")),
        sa.ForeignKeyConstraint(["engagement_id"], ["engagement.id"], name=op.f("fk_example_engagement_id")),
        sa.ForeignKeyConstraint(["source_id"], ["data_source.id"], name=op.f("fk_example_source_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_example")),
        sa.UniqueConstraint("engagement_id", "record_id", name=op.f("uq_example_engagement_id_record_id")),
    )
    op.create_index("ix_example_cluster", "example", ["engagement_id", "cluster"], unique=False)
    op.create_index("ix_example_content", "example", ["engagement_id", "sha256"], unique=False)
    op.create_index("ix_example_label", "example", ["engagement_id", "label"], unique=False)
    op.create_index(op.f("ix_example_organisation_id"), "example", ["organisation_id"], unique=False)
    op.create_index("ix_example_source", "example", ["source_id", "row_number"], unique=False)
    op.create_index("ix_example_standing", "example", ["engagement_id", "state", "score"], unique=False)
    op.create_table(
        "gate_condition",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("organisation_id", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("engagement_id", sa.String(length=40), nullable=False),
        sa.Column("client_id", sa.String(length=40), nullable=False),
        sa.Column("gate_id", sa.String(length=40), nullable=False),
        sa.Column(
            "phase",
            sa.Enum(
                "data_preparation",
                "baseline_evaluation",
                "training",
                "evaluation",
                "deployment",
                "management",
                name="phase",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("text", sa.String(length=2000), nullable=False),
        sa.Column("owner_id", sa.String(length=40), nullable=True),
        sa.Column("due", sa.Date(), nullable=False),
        sa.Column("met_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("met_by", sa.String(length=40), nullable=False),
        sa.Column("note", sa.String(length=2000), nullable=False),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name=op.f("fk_gate_condition_client_id")),
        sa.ForeignKeyConstraint(["engagement_id"], ["engagement.id"], name=op.f("fk_gate_condition_engagement_id")),
        sa.ForeignKeyConstraint(["gate_id"], ["gate_decision.id"], name=op.f("fk_gate_condition_gate_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gate_condition")),
    )
    op.create_index(op.f("ix_gate_condition_gate_id"), "gate_condition", ["gate_id"], unique=False)
    op.create_index("ix_gate_condition_open", "gate_condition", ["engagement_id", "met_at"], unique=False)
    op.create_index(op.f("ix_gate_condition_organisation_id"), "gate_condition", ["organisation_id"], unique=False)
    op.create_table(
        "sealed_read",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("organisation_id", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("engagement_id", sa.String(length=40), nullable=False),
        sa.Column("client_id", sa.String(length=40), nullable=False),
        sa.Column("version_id", sa.String(length=40), nullable=False),
        sa.Column("purpose", sa.String(length=200), nullable=False),
        sa.Column("by", sa.String(length=40), nullable=False),
        sa.Column("by_name", sa.String(length=255), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name=op.f("fk_sealed_read_client_id")),
        sa.ForeignKeyConstraint(["engagement_id"], ["engagement.id"], name=op.f("fk_sealed_read_engagement_id")),
        sa.ForeignKeyConstraint(["version_id"], ["dataset_version.id"], name=op.f("fk_sealed_read_version_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sealed_read")),
    )
    op.create_index(op.f("ix_sealed_read_organisation_id"), "sealed_read", ["organisation_id"], unique=False)
    op.create_index(op.f("ix_sealed_read_version_id"), "sealed_read", ["version_id"], unique=False)
    op.create_table(
        "synthesis_call",
        sa.Column("run_id", sa.String(length=40), nullable=False),
        sa.Column(
            "purpose", sa.Enum("generate", "judge", name="purpose", native_enum=False, length=40), nullable=False
        ),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column(
            "state",
            sa.Enum("sent", "answered", "refused", "lost", name="callstate", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("most_input", sa.BigInteger(), nullable=False),
        sa.Column("most_output", sa.BigInteger(), nullable=False),
        sa.Column("input_tokens", sa.BigInteger(), nullable=False),
        sa.Column("output_tokens", sa.BigInteger(), nullable=False),
        sa.Column("is_estimated", sa.Boolean(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("finish_reason", sa.String(length=40), nullable=False),
        sa.Column("failure", sa.String(length=400), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["run_id"], ["synthesis_run.id"], name=op.f("fk_synthesis_call_run_id")),
        sa.PrimaryKeyConstraint("run_id", "purpose", "number", "part", "attempt", name=op.f("pk_synthesis_call")),
    )
    op.create_table(
        "training_base",
        sa.Column("experiment_id", sa.String(length=40), nullable=False),
        sa.Column("backend", sa.String(length=60), nullable=False),
        sa.Column("model", sa.String(length=500), nullable=False),
        sa.Column("run_id", sa.String(length=40), nullable=False),
        sa.Column("score", sa.JSON(), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("failure", sa.String(length=500), nullable=False),
        sa.Column("scored_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("tries >= 0", name=op.f("ck_training_base_tries_count")),
        sa.ForeignKeyConstraint(["experiment_id"], ["experiment.id"], name=op.f("fk_training_base_experiment_id")),
        sa.PrimaryKeyConstraint("experiment_id", "backend", "model", name=op.f("pk_training_base")),
    )
    op.create_table(
        "training_run",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("organisation_id", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("engagement_id", sa.String(length=40), nullable=False),
        sa.Column("client_id", sa.String(length=40), nullable=False),
        sa.Column("experiment_id", sa.String(length=40), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("why", sa.String(length=500), nullable=False),
        sa.Column("backend", sa.String(length=60), nullable=False),
        sa.Column("model", sa.String(length=500), nullable=False),
        sa.Column("spec", sa.JSON(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("is_curated", sa.Boolean(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("retry_of", sa.String(length=40), nullable=True),
        sa.Column(
            "state",
            sa.Enum(
                "planned",
                "waiting",
                "submitting",
                "submit_unknown",
                "validating",
                "queued",
                "running",
                "paused",
                "finalizing",
                "scoring",
                "succeeded",
                "failed",
                "cancelled",
                "provider_lost",
                name="trainingstate",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column(
            "wish",
            sa.Enum("none", "cancel", "pause", "resume", name="wish", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("stopped_because", sa.String(length=200), nullable=False),
        sa.Column("reference", sa.String(length=400), nullable=False),
        sa.Column("failure", sa.JSON(), nullable=True),
        sa.Column("incidents", sa.JSON(), nullable=False),
        sa.Column("prediction", sa.JSON(), nullable=False),
        sa.Column("reserved_minor", sa.BigInteger(), nullable=True),
        sa.Column("spent_minor", sa.BigInteger(), nullable=True),
        sa.Column("cost_id", sa.String(length=40), nullable=True),
        sa.Column("checkpoint_id", sa.String(length=200), nullable=True),
        sa.Column("choice", sa.JSON(), nullable=True),
        sa.Column("environment", sa.JSON(), nullable=False),
        sa.Column("evidence_id", sa.String(length=40), nullable=True),
        sa.Column("record", sa.Text(), nullable=False),
        sa.Column("record_sha256", sa.String(length=64), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("attempt > 0", name=op.f("ck_training_run_attempt_positive")),
        sa.CheckConstraint("number > 0", name=op.f("ck_training_run_number_positive")),
        sa.CheckConstraint(
            "reserved_minor is null or reserved_minor >= 0", name=op.f("ck_training_run_reserved_not_negative")
        ),
        sa.CheckConstraint("spent_minor is null or spent_minor >= 0", name=op.f("ck_training_run_spent_not_negative")),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name=op.f("fk_training_run_client_id")),
        sa.ForeignKeyConstraint(["engagement_id"], ["engagement.id"], name=op.f("fk_training_run_engagement_id")),
        sa.ForeignKeyConstraint(["experiment_id"], ["experiment.id"], name=op.f("fk_training_run_experiment_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_training_run")),
        sa.UniqueConstraint("experiment_id", "number", name=op.f("uq_training_run_experiment_id_number")),
    )
    op.create_index("ix_training_run_backend", "training_run", ["backend", "state"], unique=False)
    op.create_index(op.f("ix_training_run_engagement_id"), "training_run", ["engagement_id"], unique=False)
    op.create_index(op.f("ix_training_run_organisation_id"), "training_run", ["organisation_id"], unique=False)
    op.create_index(op.f("ix_training_run_reference"), "training_run", ["reference"], unique=False)
    op.create_index(op.f("ix_training_run_state"), "training_run", ["state"], unique=False)
    op.create_table(
        "upload_part",
        sa.Column("upload_id", sa.String(length=40), nullable=False),
        sa.Column("start", sa.BigInteger(), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("place", sa.String(length=100), nullable=False),
        sa.ForeignKeyConstraint(["upload_id"], ["upload.id"], name=op.f("fk_upload_part_upload_id")),
        sa.PrimaryKeyConstraint("upload_id", "start", name=op.f("pk_upload_part")),
    )
    op.create_table(
        "version_member",
        sa.Column("version_id", sa.String(length=40), nullable=False),
        sa.Column("example_id", sa.String(length=40), nullable=False),
        sa.Column("record_id", sa.String(length=200), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column(
            "split",
            sa.Enum("train", "validation", "test", name="splitname", native_enum=False, length=40),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(["version_id"], ["dataset_version.id"], name=op.f("fk_version_member_version_id")),
        sa.PrimaryKeyConstraint("version_id", "example_id", name=op.f("pk_version_member")),
    )
    op.create_index("ix_version_member_content", "version_member", ["sha256"], unique=False)
    op.create_index("ix_version_member_example", "version_member", ["example_id"], unique=False)
    op.create_table(
        "example_edit",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("organisation_id", sa.String(length=40), nullable=False),
        sa.Column("example_id", sa.String(length=40), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("before", sa.Text(), nullable=False),
        sa.Column("after", sa.Text(), nullable=False),
        sa.Column("reason", sa.String(length=2000), nullable=False),
        sa.Column("by", sa.String(length=40), nullable=False),
        sa.Column("by_name", sa.String(length=255), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["example_id"], ["example.id"], name=op.f("fk_example_edit_example_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_example_edit")),
        sa.UniqueConstraint("example_id", "number", name=op.f("uq_example_edit_example_id_number")),
    )
    op.create_index(op.f("ix_example_edit_organisation_id"), "example_edit", ["organisation_id"], unique=False)
    op.create_table(
        "example_finding",
        sa.Column("engagement_id", sa.String(length=40), nullable=False),
        sa.Column("code", sa.String(length=80), nullable=False),
        sa.Column("example_id", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(["engagement_id"], ["engagement.id"], name=op.f("fk_example_finding_engagement_id")),
        sa.ForeignKeyConstraint(["example_id"], ["example.id"], name=op.f("fk_example_finding_example_id")),
        sa.PrimaryKeyConstraint("engagement_id", "code", "example_id", name=op.f("pk_example_finding")),
    )
    op.create_index(op.f("ix_example_finding_example_id"), "example_finding", ["example_id"], unique=False)
    op.create_table(
        "proposal",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("organisation_id", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("engagement_id", sa.String(length=40), nullable=False),
        sa.Column("client_id", sa.String(length=40), nullable=False),
        sa.Column("estimate_id", sa.String(length=40), nullable=False),
        sa.Column("lineage_id", sa.String(length=40), nullable=False),
        sa.Column("edition", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "draft",
                "in_review",
                "approved",
                "sent",
                "accepted",
                "declined",
                "expired",
                "withdrawn",
                "superseded",
                name="proposalstate",
                native_enum=False,
                length=40,
            ),
            nullable=True,
        ),
        sa.Column("state_reason", sa.String(length=2000), nullable=False),
        sa.Column("wording", sa.JSON(), nullable=False),
        sa.Column("created_by", sa.String(length=40), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("approved_by", sa.String(length=40), nullable=True),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("number", sa.String(length=40), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sent_by", sa.String(length=40), nullable=True),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("price_book", sa.String(length=64), nullable=True),
        sa.Column("template_digest", sa.String(length=64), nullable=True),
        sa.Column("pdf_sha256", sa.String(length=64), nullable=True),
        sa.Column("snapshot_sha256", sa.String(length=64), nullable=True),
        sa.Column("budgets", sa.JSON(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("edition > 0", name=op.f("ck_proposal_edition_positive")),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name=op.f("fk_proposal_client_id")),
        sa.ForeignKeyConstraint(["engagement_id"], ["engagement.id"], name=op.f("fk_proposal_engagement_id")),
        sa.ForeignKeyConstraint(["estimate_id"], ["estimate_version.id"], name=op.f("fk_proposal_estimate_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_proposal")),
        sa.UniqueConstraint("lineage_id", "edition", name=op.f("uq_proposal_lineage_id_edition")),
        sa.UniqueConstraint(
            "organisation_id", "number", "edition", name=op.f("uq_proposal_organisation_id_number_edition")
        ),
    )
    op.create_index(op.f("ix_proposal_client_id"), "proposal", ["client_id"], unique=False)
    op.create_index(op.f("ix_proposal_engagement_id"), "proposal", ["engagement_id"], unique=False)
    op.create_index(op.f("ix_proposal_estimate_id"), "proposal", ["estimate_id"], unique=False)
    op.create_index(op.f("ix_proposal_lineage_id"), "proposal", ["lineage_id"], unique=False)
    op.create_index(op.f("ix_proposal_organisation_id"), "proposal", ["organisation_id"], unique=False)
    op.create_index(op.f("ix_proposal_pdf_sha256"), "proposal", ["pdf_sha256"], unique=False)
    op.create_index(op.f("ix_proposal_state"), "proposal", ["state"], unique=False)
    op.create_table(
        "review_item",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("organisation_id", sa.String(length=40), nullable=False),
        sa.Column("engagement_id", sa.String(length=40), nullable=False),
        sa.Column("client_id", sa.String(length=40), nullable=False),
        sa.Column("round_id", sa.String(length=40), nullable=False),
        sa.Column("example_id", sa.String(length=40), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("risk", sa.Integer(), nullable=False),
        sa.Column("needed", sa.Integer(), nullable=False),
        sa.Column("reviews", sa.Integer(), nullable=False),
        sa.Column(
            "state",
            sa.Enum("open", "settled", "disputed", "adjudicated", name="itemstate", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("golden", sa.JSON(none_as_null=True), nullable=True),
        sa.CheckConstraint("reviews >= 0 and reviews <= needed", name=op.f("ck_review_item_never_too_many")),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name=op.f("fk_review_item_client_id")),
        sa.ForeignKeyConstraint(["engagement_id"], ["engagement.id"], name=op.f("fk_review_item_engagement_id")),
        sa.ForeignKeyConstraint(["example_id"], ["example.id"], name=op.f("fk_review_item_example_id")),
        sa.ForeignKeyConstraint(["round_id"], ["review_round.id"], name=op.f("fk_review_item_round_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review_item")),
        sa.UniqueConstraint("round_id", "example_id", name=op.f("uq_review_item_round_id_example_id")),
    )
    op.create_index(op.f("ix_review_item_example_id"), "review_item", ["example_id"], unique=False)
    op.create_index(op.f("ix_review_item_organisation_id"), "review_item", ["organisation_id"], unique=False)
    op.create_index("ix_review_item_queue", "review_item", ["round_id", "state", "position"], unique=False)
    op.create_table(
        "training_checkpoint",
        sa.Column("run_id", sa.String(length=40), nullable=False),
        sa.Column("checkpoint_id", sa.String(length=200), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("model", sa.String(length=500), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.Column("metrics", sa.JSON(), nullable=True),
        sa.Column("score", sa.JSON(), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("failure", sa.String(length=500), nullable=False),
        sa.Column("scored_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("tries >= 0", name=op.f("ck_training_checkpoint_tries_count")),
        sa.ForeignKeyConstraint(["run_id"], ["training_run.id"], name=op.f("fk_training_checkpoint_run_id")),
        sa.PrimaryKeyConstraint("run_id", "checkpoint_id", name=op.f("pk_training_checkpoint")),
    )
    op.create_table(
        "training_event",
        sa.Column("run_id", sa.String(length=40), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("event_id", sa.String(length=200), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("message", "metrics", "checkpoint", name="eventkind", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column(
            "level", sa.Enum("info", "warning", "error", name="level", native_enum=False, length=40), nullable=False
        ),
        sa.Column("message", sa.String(length=2000), nullable=False),
        sa.Column("step", sa.Integer(), nullable=True),
        sa.Column("metrics", sa.JSON(), nullable=True),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.CheckConstraint("number > 0", name=op.f("ck_training_event_number_positive")),
        sa.ForeignKeyConstraint(["run_id"], ["training_run.id"], name=op.f("fk_training_event_run_id")),
        sa.PrimaryKeyConstraint("run_id", "number", name=op.f("pk_training_event")),
        sa.UniqueConstraint("run_id", "event_id", name=op.f("uq_training_event_run_id_event_id")),
    )
    op.create_table(
        "training_memory",
        sa.Column("run_id", sa.String(length=40), nullable=False),
        sa.Column("key", sa.String(length=100), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["training_run.id"], name=op.f("fk_training_memory_run_id")),
        sa.PrimaryKeyConstraint("run_id", "key", name=op.f("pk_training_memory")),
    )
    op.create_table(
        "training_progress",
        sa.Column("run_id", sa.String(length=40), nullable=False),
        sa.Column("next_due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("cursor", sa.String(length=2000), nullable=False),
        sa.Column("trouble", sa.Integer(), nullable=False),
        sa.Column("said", sa.String(length=500), nullable=False),
        sa.Column("wait_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("judged_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("heard_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("events", sa.Integer(), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("total_steps", sa.Integer(), nullable=True),
        sa.Column("latest", sa.JSON(), nullable=False),
        sa.Column("usage", sa.JSON(), nullable=False),
        sa.Column("verdict", sa.JSON(), nullable=True),
        sa.Column("provider_state", sa.String(length=100), nullable=False),
        sa.Column("result", sa.String(length=500), nullable=False),
        sa.Column("held_back", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["training_run.id"], name=op.f("fk_training_progress_run_id")),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pk_training_progress")),
    )
    op.create_index("ix_training_progress_due", "training_progress", ["next_due_at", "lease_until"], unique=False)
    op.create_table(
        "adjudication",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("organisation_id", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("engagement_id", sa.String(length=40), nullable=False),
        sa.Column("client_id", sa.String(length=40), nullable=False),
        sa.Column("item_id", sa.String(length=40), nullable=False),
        sa.Column("example_id", sa.String(length=40), nullable=False),
        sa.Column(
            "decision",
            sa.Enum("accept", "reject", "skip", name="decision", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("reason", sa.String(length=2000), nullable=False),
        sa.Column("edited", sa.Text(), nullable=True),
        sa.Column("by", sa.String(length=40), nullable=False),
        sa.Column("by_name", sa.String(length=255), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name=op.f("fk_adjudication_client_id")),
        sa.ForeignKeyConstraint(["engagement_id"], ["engagement.id"], name=op.f("fk_adjudication_engagement_id")),
        sa.ForeignKeyConstraint(["example_id"], ["example.id"], name=op.f("fk_adjudication_example_id")),
        sa.ForeignKeyConstraint(["item_id"], ["review_item.id"], name=op.f("fk_adjudication_item_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_adjudication")),
        sa.UniqueConstraint("item_id", name=op.f("uq_adjudication_item_id")),
    )
    op.create_index(op.f("ix_adjudication_engagement_id"), "adjudication", ["engagement_id"], unique=False)
    op.create_index(op.f("ix_adjudication_organisation_id"), "adjudication", ["organisation_id"], unique=False)
    op.create_table(
        "decision",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("organisation_id", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("proposal_id", sa.String(length=40), nullable=False),
        sa.Column("engagement_id", sa.String(length=40), nullable=False),
        sa.Column("client_id", sa.String(length=40), nullable=False),
        sa.Column(
            "verdict", sa.Enum("accepted", "declined", name="verdict", native_enum=False, length=40), nullable=False
        ),
        sa.Column("option", sa.String(length=40), nullable=False),
        sa.Column("extras", sa.JSON(), nullable=False),
        sa.Column("net_minor", sa.BigInteger(), nullable=True),
        sa.Column("gross_minor", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("reason", sa.String(length=2000), nullable=False),
        sa.Column("signer_name", sa.String(length=200), nullable=False),
        sa.Column("signer_role", sa.String(length=200), nullable=False),
        sa.Column("signer_email", sa.String(length=255), nullable=False),
        sa.Column("consent", sa.String(length=2000), nullable=False),
        sa.Column("pdf_sha256", sa.String(length=64), nullable=False),
        sa.Column("link_id", sa.String(length=40), nullable=True),
        sa.Column("on_behalf_by", sa.String(length=40), nullable=True),
        sa.Column("evidence", sa.String(length=2000), nullable=False),
        sa.Column("ip", sa.String(length=64), nullable=False),
        sa.Column("agent", sa.String(length=400), nullable=False),
        sa.Column("time_zone", sa.String(length=60), nullable=False),
        sa.Column("certificate_sha256", sa.String(length=64), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name=op.f("fk_decision_client_id")),
        sa.ForeignKeyConstraint(["engagement_id"], ["engagement.id"], name=op.f("fk_decision_engagement_id")),
        sa.ForeignKeyConstraint(["proposal_id"], ["proposal.id"], name=op.f("fk_decision_proposal_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decision")),
        sa.UniqueConstraint("proposal_id", name=op.f("uq_decision_proposal_id")),
    )
    op.create_index(op.f("ix_decision_certificate_sha256"), "decision", ["certificate_sha256"], unique=False)
    op.create_index(op.f("ix_decision_client_id"), "decision", ["client_id"], unique=False)
    op.create_index(op.f("ix_decision_organisation_id"), "decision", ["organisation_id"], unique=False)
    op.create_table(
        "example_review",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("organisation_id", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("engagement_id", sa.String(length=40), nullable=False),
        sa.Column("client_id", sa.String(length=40), nullable=False),
        sa.Column("round_id", sa.String(length=40), nullable=False),
        sa.Column("item_id", sa.String(length=40), nullable=False),
        sa.Column("example_id", sa.String(length=40), nullable=False),
        sa.Column("reviewer_id", sa.String(length=40), nullable=False),
        sa.Column("reviewer_name", sa.String(length=255), nullable=False),
        sa.Column("accuracy", sa.Integer(), nullable=True),
        sa.Column("consistency", sa.Integer(), nullable=True),
        sa.Column("completeness", sa.Integer(), nullable=True),
        sa.Column("format", sa.Integer(), nullable=True),
        sa.Column("edge_case", sa.Integer(), nullable=True),
        sa.Column("label", sa.String(length=400), nullable=True),
        sa.Column(
            "decision",
            sa.Enum("accept", "reject", "skip", name="decision", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("comment", sa.String(length=2000), nullable=False),
        sa.Column("edited", sa.Text(), nullable=True),
        sa.Column("content_sha256", sa.String(length=64), nullable=False),
        sa.Column("agreed_sha256", sa.String(length=64), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name=op.f("fk_example_review_client_id")),
        sa.ForeignKeyConstraint(["engagement_id"], ["engagement.id"], name=op.f("fk_example_review_engagement_id")),
        sa.ForeignKeyConstraint(["example_id"], ["example.id"], name=op.f("fk_example_review_example_id")),
        sa.ForeignKeyConstraint(["item_id"], ["review_item.id"], name=op.f("fk_example_review_item_id")),
        sa.ForeignKeyConstraint(["round_id"], ["review_round.id"], name=op.f("fk_example_review_round_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_example_review")),
        sa.UniqueConstraint("item_id", "reviewer_id", name=op.f("uq_example_review_item_id_reviewer_id")),
    )
    op.create_index(op.f("ix_example_review_engagement_id"), "example_review", ["engagement_id"], unique=False)
    op.create_index("ix_example_review_of", "example_review", ["example_id"], unique=False)
    op.create_index(op.f("ix_example_review_organisation_id"), "example_review", ["organisation_id"], unique=False)
    op.create_table(
        "proposal_link",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("organisation_id", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("proposal_id", sa.String(length=40), nullable=False),
        sa.Column("engagement_id", sa.String(length=40), nullable=False),
        sa.Column("client_id", sa.String(length=40), nullable=False),
        sa.Column("recipient_name", sa.String(length=200), nullable=False),
        sa.Column("recipient_email", sa.String(length=255), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("created_by", sa.String(length=40), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("first_viewed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("views", sa.Integer(), nullable=False),
        sa.Column("last_viewed_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name=op.f("fk_proposal_link_client_id")),
        sa.ForeignKeyConstraint(["engagement_id"], ["engagement.id"], name=op.f("fk_proposal_link_engagement_id")),
        sa.ForeignKeyConstraint(["proposal_id"], ["proposal.id"], name=op.f("fk_proposal_link_proposal_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_proposal_link")),
        sa.UniqueConstraint("digest", name=op.f("uq_proposal_link_digest")),
    )
    op.create_index(op.f("ix_proposal_link_client_id"), "proposal_link", ["client_id"], unique=False)
    op.create_index(op.f("ix_proposal_link_organisation_id"), "proposal_link", ["organisation_id"], unique=False)
    op.create_index(op.f("ix_proposal_link_proposal_id"), "proposal_link", ["proposal_id"], unique=False)
    op.create_table(
        "review_hold",
        sa.Column("item_id", sa.String(length=40), nullable=False),
        sa.Column("reviewer_id", sa.String(length=40), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["item_id"], ["review_item.id"], name=op.f("fk_review_hold_item_id")),
        sa.PrimaryKeyConstraint("item_id", "reviewer_id", name=op.f("pk_review_hold")),
    )
    op.create_index(op.f("ix_review_hold_reviewer_id"), "review_hold", ["reviewer_id"], unique=False)
    op.create_table(
        "baseline",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("organisation_id", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("engagement_id", sa.String(length=40), nullable=False),
        sa.Column("client_id", sa.String(length=40), nullable=False),
        sa.Column("proposal_id", sa.String(length=40), nullable=False),
        sa.Column("decision_id", sa.String(length=40), nullable=False),
        sa.Column("change_id", sa.String(length=40), nullable=True),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("plan", sa.JSON(), nullable=False),
        sa.Column("budget", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("number > 0", name=op.f("ck_baseline_number_positive")),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name=op.f("fk_baseline_client_id")),
        sa.ForeignKeyConstraint(["decision_id"], ["decision.id"], name=op.f("fk_baseline_decision_id")),
        sa.ForeignKeyConstraint(["engagement_id"], ["engagement.id"], name=op.f("fk_baseline_engagement_id")),
        sa.ForeignKeyConstraint(["proposal_id"], ["proposal.id"], name=op.f("fk_baseline_proposal_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_baseline")),
        sa.UniqueConstraint("engagement_id", "number", name=op.f("uq_baseline_engagement_id_number")),
    )
    op.create_index(op.f("ix_baseline_client_id"), "baseline", ["client_id"], unique=False)
    op.create_index(op.f("ix_baseline_organisation_id"), "baseline", ["organisation_id"], unique=False)
    for statement in GUARDS[op.get_bind().dialect.name]:
        op.execute(statement)


def downgrade() -> None:
    op.drop_index(op.f("ix_baseline_organisation_id"), table_name="baseline")
    op.drop_index(op.f("ix_baseline_client_id"), table_name="baseline")
    op.drop_table("baseline")
    op.drop_index(op.f("ix_review_hold_reviewer_id"), table_name="review_hold")
    op.drop_table("review_hold")
    op.drop_index(op.f("ix_proposal_link_proposal_id"), table_name="proposal_link")
    op.drop_index(op.f("ix_proposal_link_organisation_id"), table_name="proposal_link")
    op.drop_index(op.f("ix_proposal_link_client_id"), table_name="proposal_link")
    op.drop_table("proposal_link")
    op.drop_index(op.f("ix_example_review_organisation_id"), table_name="example_review")
    op.drop_index("ix_example_review_of", table_name="example_review")
    op.drop_index(op.f("ix_example_review_engagement_id"), table_name="example_review")
    op.drop_table("example_review")
    op.drop_index(op.f("ix_decision_organisation_id"), table_name="decision")
    op.drop_index(op.f("ix_decision_client_id"), table_name="decision")
    op.drop_index(op.f("ix_decision_certificate_sha256"), table_name="decision")
    op.drop_table("decision")
    op.drop_index(op.f("ix_adjudication_organisation_id"), table_name="adjudication")
    op.drop_index(op.f("ix_adjudication_engagement_id"), table_name="adjudication")
    op.drop_table("adjudication")
    op.drop_index("ix_training_progress_due", table_name="training_progress")
    op.drop_table("training_progress")
    op.drop_table("training_memory")
    op.drop_table("training_event")
    op.drop_table("training_checkpoint")
    op.drop_index("ix_review_item_queue", table_name="review_item")
    op.drop_index(op.f("ix_review_item_organisation_id"), table_name="review_item")
    op.drop_index(op.f("ix_review_item_example_id"), table_name="review_item")
    op.drop_table("review_item")
    op.drop_index(op.f("ix_proposal_state"), table_name="proposal")
    op.drop_index(op.f("ix_proposal_pdf_sha256"), table_name="proposal")
    op.drop_index(op.f("ix_proposal_organisation_id"), table_name="proposal")
    op.drop_index(op.f("ix_proposal_lineage_id"), table_name="proposal")
    op.drop_index(op.f("ix_proposal_estimate_id"), table_name="proposal")
    op.drop_index(op.f("ix_proposal_engagement_id"), table_name="proposal")
    op.drop_index(op.f("ix_proposal_client_id"), table_name="proposal")
    op.drop_table("proposal")
    op.drop_index(op.f("ix_example_finding_example_id"), table_name="example_finding")
    op.drop_table("example_finding")
    op.drop_index(op.f("ix_example_edit_organisation_id"), table_name="example_edit")
    op.drop_table("example_edit")
    op.drop_index("ix_version_member_example", table_name="version_member")
    op.drop_index("ix_version_member_content", table_name="version_member")
    op.drop_table("version_member")
    op.drop_table("upload_part")
    op.drop_index(op.f("ix_training_run_state"), table_name="training_run")
    op.drop_index(op.f("ix_training_run_reference"), table_name="training_run")
    op.drop_index(op.f("ix_training_run_organisation_id"), table_name="training_run")
    op.drop_index(op.f("ix_training_run_engagement_id"), table_name="training_run")
    op.drop_index("ix_training_run_backend", table_name="training_run")
    op.drop_table("training_run")
    op.drop_table("training_base")
    op.drop_table("synthesis_call")
    op.drop_index(op.f("ix_sealed_read_version_id"), table_name="sealed_read")
    op.drop_index(op.f("ix_sealed_read_organisation_id"), table_name="sealed_read")
    op.drop_table("sealed_read")
    op.drop_index(op.f("ix_gate_condition_organisation_id"), table_name="gate_condition")
    op.drop_index("ix_gate_condition_open", table_name="gate_condition")
    op.drop_index(op.f("ix_gate_condition_gate_id"), table_name="gate_condition")
    op.drop_table("gate_condition")
    op.drop_index("ix_example_standing", table_name="example")
    op.drop_index("ix_example_source", table_name="example")
    op.drop_index(op.f("ix_example_organisation_id"), table_name="example")
    op.drop_index("ix_example_label", table_name="example")
    op.drop_index("ix_example_content", table_name="example")
    op.drop_index("ix_example_cluster", table_name="example")
    op.drop_table("example")
    op.drop_index(op.f("ix_estimate_version_organisation_id"), table_name="estimate_version")
    op.drop_index(op.f("ix_estimate_version_client_id"), table_name="estimate_version")
    op.drop_index(op.f("ix_estimate_version_brief_id"), table_name="estimate_version")
    op.drop_table("estimate_version")
    op.drop_table("data_job_progress")
    op.drop_index(op.f("ix_acknowledgement_organisation_id"), table_name="acknowledgement")
    op.drop_index(op.f("ix_acknowledgement_engagement_id"), table_name="acknowledgement")
    op.drop_table("acknowledgement")
    op.drop_index(op.f("ix_user_session_user_id"), table_name="user_session")
    op.drop_table("user_session")
    op.drop_index(op.f("ix_upload_organisation_id"), table_name="upload")
    op.drop_index(op.f("ix_upload_engagement_id"), table_name="upload")
    op.drop_table("upload")
    op.drop_index("ix_time_entry_week", table_name="time_entry")
    op.drop_index("ix_time_entry_phase", table_name="time_entry")
    op.drop_index(op.f("ix_time_entry_organisation_id"), table_name="time_entry")
    op.drop_index(op.f("ix_time_entry_invoice_id"), table_name="time_entry")
    op.drop_index(op.f("ix_time_entry_client_id"), table_name="time_entry")
    op.drop_index(op.f("ix_time_entry_adjusts"), table_name="time_entry")
    op.drop_table("time_entry")
    op.drop_index(op.f("ix_synthesis_run_organisation_id"), table_name="synthesis_run")
    op.drop_index(op.f("ix_synthesis_run_engagement_id"), table_name="synthesis_run")
    op.drop_table("synthesis_run")
    op.drop_index(op.f("ix_status_report_organisation_id"), table_name="status_report")
    op.drop_index(op.f("ix_status_report_client_id"), table_name="status_report")
    op.drop_table("status_report")
    op.drop_index("ix_standing_of", table_name="standing")
    op.drop_table("standing")
    op.drop_index(op.f("ix_review_round_organisation_id"), table_name="review_round")
    op.drop_table("review_round")
    op.drop_index(op.f("ix_rate_snapshot_organisation_id"), table_name="rate_snapshot")
    op.drop_table("rate_snapshot")
    op.drop_index(op.f("ix_raid_item_organisation_id"), table_name="raid_item")
    op.drop_index(op.f("ix_raid_item_client_id"), table_name="raid_item")
    op.drop_table("raid_item")
    op.drop_index(op.f("ix_plan_change_organisation_id"), table_name="plan_change")
    op.drop_index(op.f("ix_plan_change_engagement_id"), table_name="plan_change")
    op.drop_table("plan_change")
    op.drop_index(op.f("ix_phase_record_owner_id"), table_name="phase_record")
    op.drop_index(op.f("ix_phase_record_organisation_id"), table_name="phase_record")
    op.drop_index(op.f("ix_phase_record_client_id"), table_name="phase_record")
    op.drop_table("phase_record")
    op.drop_table("one_time_link")
    op.drop_index(op.f("ix_model_version_organisation_id"), table_name="model_version")
    op.drop_index(op.f("ix_model_version_experiment_id"), table_name="model_version")
    op.drop_index(op.f("ix_model_version_dataset_version_id"), table_name="model_version")
    op.drop_index(op.f("ix_model_version_client_id"), table_name="model_version")
    op.drop_table("model_version")
    op.drop_index(op.f("ix_milestone_organisation_id"), table_name="milestone")
    op.drop_index(op.f("ix_milestone_client_id"), table_name="milestone")
    op.drop_table("milestone")
    op.drop_index(op.f("ix_invoice_organisation_id"), table_name="invoice")
    op.drop_index(op.f("ix_invoice_engagement_id"), table_name="invoice")
    op.drop_table("invoice")
    op.drop_index(op.f("ix_gate_decision_organisation_id"), table_name="gate_decision")
    op.drop_index(op.f("ix_gate_decision_client_id"), table_name="gate_decision")
    op.drop_table("gate_decision")
    op.drop_index(op.f("ix_experiment_state"), table_name="experiment")
    op.drop_index(op.f("ix_experiment_organisation_id"), table_name="experiment")
    op.drop_index(op.f("ix_experiment_engagement_id"), table_name="experiment")
    op.drop_index(op.f("ix_experiment_dataset_version_id"), table_name="experiment")
    op.drop_table("experiment")
    op.drop_index(op.f("ix_evidence_record_organisation_id"), table_name="evidence_record")
    op.drop_index(op.f("ix_evidence_record_client_id"), table_name="evidence_record")
    op.drop_table("evidence_record")
    op.drop_index(op.f("ix_erasure_organisation_id"), table_name="erasure")
    op.drop_index(op.f("ix_erasure_engagement_id"), table_name="erasure")
    op.drop_table("erasure")
    op.drop_index(op.f("ix_deliverable_record_organisation_id"), table_name="deliverable_record")
    op.drop_index(op.f("ix_deliverable_record_client_id"), table_name="deliverable_record")
    op.drop_table("deliverable_record")
    op.drop_index(op.f("ix_dataset_version_organisation_id"), table_name="dataset_version")
    op.drop_index(op.f("ix_dataset_version_client_id"), table_name="dataset_version")
    op.drop_table("dataset_version")
    op.drop_index(op.f("ix_data_source_organisation_id"), table_name="data_source")
    op.drop_index(op.f("ix_data_source_engagement_id"), table_name="data_source")
    op.drop_table("data_source")
    op.drop_index(op.f("ix_data_job_subject_id"), table_name="data_job")
    op.drop_index(op.f("ix_data_job_state"), table_name="data_job")
    op.drop_index(op.f("ix_data_job_organisation_id"), table_name="data_job")
    op.drop_index(op.f("ix_data_job_engagement_id"), table_name="data_job")
    op.drop_table("data_job")
    op.drop_index(op.f("ix_criterion_organisation_id"), table_name="criterion")
    op.drop_index(op.f("ix_criterion_client_id"), table_name="criterion")
    op.drop_table("criterion")
    op.drop_index("ix_cost_entry_phase", table_name="cost_entry")
    op.drop_index(op.f("ix_cost_entry_organisation_id"), table_name="cost_entry")
    op.drop_index(op.f("ix_cost_entry_invoice_id"), table_name="cost_entry")
    op.drop_index(op.f("ix_cost_entry_client_id"), table_name="cost_entry")
    op.drop_table("cost_entry")
    op.drop_index(op.f("ix_checklist_mark_organisation_id"), table_name="checklist_mark")
    op.drop_table("checklist_mark")
    op.drop_index(op.f("ix_change_request_organisation_id"), table_name="change_request")
    op.drop_index(op.f("ix_change_request_client_id"), table_name="change_request")
    op.drop_table("change_request")
    op.drop_index(op.f("ix_brief_version_organisation_id"), table_name="brief_version")
    op.drop_index(op.f("ix_brief_version_client_id"), table_name="brief_version")
    op.drop_table("brief_version")
    op.drop_index(op.f("ix_alert_organisation_id"), table_name="alert")
    op.drop_table("alert")
    op.drop_index(op.f("ix_webhook_delivery_organisation_id"), table_name="webhook_delivery")
    op.drop_index("ix_webhook_delivery_leased", table_name="webhook_delivery")
    op.drop_index(op.f("ix_webhook_delivery_event_id"), table_name="webhook_delivery")
    op.drop_index("ix_webhook_delivery_due", table_name="webhook_delivery")
    op.drop_table("webhook_delivery")
    op.drop_index(op.f("ix_person_organisation_id"), table_name="person")
    op.drop_index(op.f("ix_person_email_key"), table_name="person")
    op.drop_index(op.f("ix_person_client_id"), table_name="person")
    op.drop_table("person")
    op.drop_index(op.f("ix_invitation_organisation_id"), table_name="invitation")
    op.drop_index(op.f("ix_invitation_client_id"), table_name="invitation")
    op.drop_table("invitation")
    op.drop_index(op.f("ix_engagement_state"), table_name="engagement")
    op.drop_index(op.f("ix_engagement_organisation_id"), table_name="engagement")
    op.drop_index(op.f("ix_engagement_client_id"), table_name="engagement")
    op.drop_table("engagement")
    op.drop_index(op.f("ix_contact_organisation_id"), table_name="contact")
    op.drop_index(op.f("ix_contact_client_id"), table_name="contact")
    op.drop_table("contact")
    op.drop_index(op.f("ix_api_key_organisation_id"), table_name="api_key")
    op.drop_table("api_key")
    op.drop_index(op.f("ix_webhook_endpoint_organisation_id"), table_name="webhook_endpoint")
    op.drop_table("webhook_endpoint")
    op.drop_table("training_lane")
    op.drop_index(op.f("ix_time_lock_organisation_id"), table_name="time_lock")
    op.drop_table("time_lock")
    op.drop_index(op.f("ix_outbox_event_organisation_id"), table_name="outbox_event")
    op.drop_index(op.f("ix_outbox_event_fanned_out"), table_name="outbox_event")
    op.drop_table("outbox_event")
    op.drop_index(op.f("ix_organisation_organisation_id"), table_name="organisation")
    op.drop_table("organisation")
    op.drop_table("number_series")
    op.drop_index(op.f("ix_notice_choice_organisation_id"), table_name="notice_choice")
    op.drop_table("notice_choice")
    op.drop_index("ix_notice_unread", table_name="notice")
    op.drop_index(op.f("ix_notice_posted"), table_name="notice")
    op.drop_index(op.f("ix_notice_organisation_id"), table_name="notice")
    op.drop_table("notice")
    op.drop_index(op.f("ix_letter_organisation_id"), table_name="letter")
    op.drop_index("ix_letter_due", table_name="letter")
    op.drop_table("letter")
    op.drop_index(op.f("ix_idempotency_key_created_at"), table_name="idempotency_key")
    op.drop_table("idempotency_key")
    op.drop_table("frozen_document")
    op.drop_index(op.f("ix_feed_person_id"), table_name="feed")
    op.drop_index(op.f("ix_feed_organisation_id"), table_name="feed")
    op.drop_table("feed")
    op.drop_index(op.f("ix_failed_attempt_scope"), table_name="failed_attempt")
    op.drop_index(op.f("ix_failed_attempt_at"), table_name="failed_attempt")
    op.drop_table("failed_attempt")
    op.drop_index(op.f("ix_engagement_activity_at"), table_name="engagement_activity")
    op.drop_table("engagement_activity")
    op.drop_index(op.f("ix_client_organisation_id"), table_name="client")
    op.drop_table("client")
    op.drop_table("audit_head")
    op.drop_index(op.f("ix_audit_event_entity_id"), table_name="audit_event")
    op.drop_index(op.f("ix_audit_event_engagement_id"), table_name="audit_event")
    op.drop_index(op.f("ix_audit_event_client_id"), table_name="audit_event")
    op.drop_table("audit_event")
