"""PostgreSQL and Redis that come with the project, and the `run` command that starts everything.

A map of the package, in the order in which things happen:

- `places` where the servers keep their files, `account` whom they run as, `notes` what is remembered between runs;
- `programs` where their binaries are, `children` how processes are started, watched and ended;
- `postgres` (with `roles`) and `redis`: one server each; `services`: all of them together;
- `procfile` the web, worker and beat processes; `supervisor` the whole of `make run`.

Nothing here knows the application: it hands over addresses in environment variables, and nothing else.
"""

from embedded.errors import CannotStart
from embedded.services import Services, services

__all__ = ["CannotStart", "Services", "services"]
