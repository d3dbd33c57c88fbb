"""Tables, their constraints, and the one transaction."""

from app.models.conversation import Conversation, Membership
from app.models.message import DeadLetter, Mention, Message, MessageEdit, Reaction, ReadMark
from app.models.profile import AuditEntry, Profile, Session, User, UserPresence
from app.models.transaction import Transaction, transaction

__all__ = [
    "AuditEntry",
    "Conversation",
    "DeadLetter",
    "Membership",
    "Mention",
    "Message",
    "MessageEdit",
    "Profile",
    "Reaction",
    "ReadMark",
    "Session",
    "Transaction",
    "User",
    "UserPresence",
    "transaction",
]
