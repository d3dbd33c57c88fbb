"""One visit of the doctor's: the patient that several checks share, made when first needed and removed at the end."""

from __future__ import annotations

import threading

from app.cli.doctor.findings import Sick
from app.domain import checkup
from app.domain.checkup import Patient
from app.domain.gate import Busy
from app.kernel import clock
from app.kernel.breaker import Down
from app.kernel.errors import DomainError


class Visit:
    """Makes the patient once, whoever asks first, and removes it."""

    def __init__(self) -> None:
        self._patient: Patient | None = None
        self._lock = threading.Lock()

    def patient(self) -> Patient:
        """Give the patient; raises Sick where the database takes none."""
        with self._lock:
            if self._patient is None:
                try:
                    self._patient = checkup.begin(now=clock.now())
                except DomainError as error:
                    raise Sick(f"The database takes no rows ({error}): its log says why.") from error
            return self._patient

    def end(self) -> str:
        """Remove everything that was made."""
        if self._patient is None:
            return "nothing was written"
        try:
            checkup.end(self._patient, now=clock.now())
        except (DomainError, Down, Busy) as error:
            raise Sick(
                f"What the doctor wrote could not be removed ({error}): run it again, that removes it."
            ) from error
        return "what the doctor wrote is gone again"
