"""Tables, their constraints, and the one transaction."""

from app.models.api_token import ApiToken
from app.models.attachment import Attachment
from app.models.conversation import Conversation, Membership
from app.models.customer import Customer, PortalToken
from app.models.letter import Letter, NotificationSettings, PasswordReset
from app.models.message import (
    DeadLetter,
    DeliveryFailure,
    Mention,
    Message,
    MessageEdit,
    Reaction,
    ReadMark,
    ReceivedMark,
)
from app.models.profile import AuditEntry, Profile, Session, User, UserPresence
from app.models.search import FoundMessage, FoundUpTo
from app.models.transaction import Transaction, transaction

__all__ = [
    "ApiToken",
    "Attachment",
    "AuditEntry",
    "Conversation",
    "Customer",
    "DeadLetter",
    "DeliveryFailure",
    "FoundMessage",
    "FoundUpTo",
    "Letter",
    "Membership",
    "Mention",
    "Message",
    "MessageEdit",
    "NotificationSettings",
    "PasswordReset",
    "PortalToken",
    "Profile",
    "Reaction",
    "ReadMark",
    "ReceivedMark",
    "Session",
    "Transaction",
    "User",
    "UserPresence",
    "transaction",
]
