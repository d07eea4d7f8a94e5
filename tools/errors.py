"""The errors of PaperDesk.

Every message is one sentence that says what happened and what to do. `exit_code` is what the command line returns:
1 something went wrong while working, 2 bad input (nothing was changed), 3 a verification found a difference.
Each room adds its own small family below these two roots.
"""

from typing import ClassVar


class PaperDeskError(Exception):
    """Root of all errors raised on purpose; the message is meant for a person."""

    exit_code: ClassVar[int] = 1


class InputError(PaperDeskError):
    """Something that the user gave (a file, an option, a value) is refused at the border."""

    exit_code: ClassVar[int] = 2


class DataError(InputError):
    """A data set has a defect; the message names the file and the row."""


class LookAheadError(PaperDeskError):
    """A read would have returned something that was not known at the view's `as_of`."""


class BrokerError(PaperDeskError):
    """A broker could not do what was asked; the state of the account is unchanged unless the message says otherwise."""


class BrokerUnreachable(BrokerError):
    """A venue gave no answer for now; a little later it may."""


class OptimizerError(PaperDeskError):
    """The optimizer could not answer: its solver broke or gave an answer that does not stand the exact check.

    Never raised for an infeasible problem, which has a typed answer.
    """


class ProblemError(OptimizerError, InputError):
    """A portfolio problem, a set of scenarios, a view or a profile holds a number that cannot be meant.

    `field` names what was wrong (`scenarios`, `beta`, `costs`, ...), for programs that react to it.
    """

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field
