"""Tables, their constraints, and the one transaction."""

from app.models.attachment import Attachment
from app.models.conversation import Conversation, Membership
from app.models.customer import Customer, PortalToken
from app.models.message import DeadLetter, Mention, Message, MessageEdit, Reaction, ReadMark
from app.models.profile import AuditEntry, Profile, Session, User, UserPresence
from app.models.transaction import Transaction, transaction

__all__ = [
    "Attachment",
    "AuditEntry",
    "Conversation",
    "Customer",
    "DeadLetter",
    "Membership",
    "Mention",
    "Message",
    "MessageEdit",
    "PortalToken",
    "Profile",
    "Reaction",
    "ReadMark",
    "Session",
    "Transaction",
    "User",
    "UserPresence",
    "transaction",
]
