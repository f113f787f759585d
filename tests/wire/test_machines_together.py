"""Both machines against each other: random conversations end in agreement and break no rule.

A conversation is bytes: each says what happens next, so that any bytes are one and a failing one
shrinks. Messages arrive in order, late by as much as the bytes say.
"""

from collections import Counter, deque
from collections.abc import Callable

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hearline.errors import AudioError, ConnectionLost, InvalidReply, InvalidState, TaskFailed
from hearline.wire.client import ClientEvent, ClientTask, Failed
from hearline.wire.client_states import State
from hearline.wire.messages import ResultGenerated, RunTask, Sentence, TaskFinished, TaskStarted
from hearline.wire.server import (
    AudioReceived,
    Close,
    ContextReceived,
    FinishRequested,
    ServerConnection,
    TaskRequested,
)
from hearline.wire.server_states import ConnectionState, TaskState

NAMES = ("a", "b", "c")
SENTENCE = Sentence(begin_time=0, end_time=10, text="hi", sentence_end=True)
DONE = (State.FINISHED, State.FAILED)
OPEN = (TaskState.RUNNING, TaskState.FINISHING)
RARELY = 15
"""Of 16 choices the one at which what seldom happens does."""


class Talk:
    """Three clients' tasks on one connection, with a wire between that takes its time."""

    def __init__(self) -> None:
        self.clients = {
            name: ClientTask(RunTask(task_id=name, model="m", parameters={})) for name in NAMES
        }
        self.server = ServerConnection()
        self.up: deque[str | bytes] = deque()
        self.down: deque[str | Close] = deque()
        self.run: list[str] = []
        self.events: dict[str, list[ClientEvent]] = {name: [] for name in NAMES}
        self.sent: Counter[str] = Counter()
        self.heard: Counter[str] = Counter()
        self.results: Counter[str] = Counter()
        self.over = False

    def happen(self, what: int, which: int) -> None:
        """Let one thing happen, if it can."""
        name = NAMES[which % len(NAMES)]
        actions: list[Callable[[str], None]] = [
            self.want_task,
            self.want_audio,
            self.want_audio,
            self.want_context,
            self.want_finish,
            self.say_result,
            self.say_result,
            self.say_finished,
            lambda _: self.deliver_up(refuse=which == RARELY),
            lambda _: self.deliver_up(refuse=which == RARELY),
            lambda _: self.deliver_up(refuse=which == RARELY),
            lambda _: self.deliver_down(),
            lambda _: self.deliver_down(),
            lambda _: self.deliver_down(),
            self.rare(which, self.break_down),
            self.rare(which - 1, lambda _: self.server.expire()),
        ]
        if not self.over:
            actions[what](name)
            self.collect()
        if not self.over and (what, which) == (4, RARELY):
            self.note(name, self.clients[name].expire())
        if not self.over and (what, which) == (3, RARELY):
            self.lose()

    @staticmethod
    def rare(which: int, action: Callable[[str], None]) -> Callable[[str], None]:
        return action if which == RARELY - 1 else lambda _: None

    def want_task(self, name: str) -> None:
        if self.try_to(self.clients[name].start):
            self.run.append(name)

    def want_audio(self, name: str) -> None:
        """Send a packet where the official client would: one task at a time, in order of run."""
        owner = next((run for run in self.run if self.clients[run].state not in DONE), name)
        if name == owner and self.try_to(lambda: self.clients[name].send_audio(name.encode())):
            self.sent[name] += 1

    def want_context(self, name: str) -> None:
        self.try_to(lambda: self.clients[name].update_context({"context": []}))

    def want_finish(self, name: str) -> None:
        self.try_to(self.clients[name].finish)

    def try_to(self, wish: Callable[[], None]) -> bool:
        """Do what a caller wants, and tell whether the machine allowed it."""
        try:
            wish()
        except InvalidState:
            return False
        return True

    def say_result(self, name: str) -> None:
        if self.server.task_state(name) in OPEN:
            self.server.result(name, SENTENCE, None)
            self.results[name] += 1

    def say_finished(self, name: str) -> None:
        if self.server.task_state(name) is TaskState.FINISHING:
            self.server.finish(name)

    def break_down(self, name: str) -> None:
        if self.server.task_state(name) in OPEN:
            self.server.fail(name, AudioError("cue"))

    def deliver_up(self, *, refuse: bool = False) -> None:
        if not self.up:
            return
        message = self.up.popleft()
        if isinstance(message, bytes):
            event = self.server.receive_audio(message)
        else:
            event = self.server.receive_text(message)
        match event:
            case TaskRequested(task) if refuse:
                self.server.fail(task.task_id, AudioError("no"))
            case TaskRequested(task):
                self.server.start(task.task_id)
            case AudioReceived(task_id, data):
                assert data == task_id.encode(), "a task got another's audio"
                self.heard[task_id] += 1
            case ContextReceived() | FinishRequested() | None:
                pass

    def deliver_down(self) -> None:
        if not self.down:
            return
        message = self.down.popleft()
        if isinstance(message, Close):
            self.lose()
            return
        for name, client in self.clients.items():
            self.note(name, client.receive(message))

    def lose(self) -> None:
        """Break the connection: whoever is not done learns it."""
        self.over = True
        for name, client in self.clients.items():
            self.note(name, client.lose(ConnectionLost("gone")))

    def note(self, name: str, event: ClientEvent | None) -> None:
        if event is None:
            return
        self.events[name].append(event)
        if isinstance(event, Failed):
            assert not isinstance(event.error, InvalidReply), event.error.message
            if not self.over and not isinstance(event.error, TaskFailed):
                self.lose()

    def collect(self) -> None:
        """Put on the wire what the machines say."""
        for client in self.clients.values():
            self.up += client.take_output()
        self.down += self.server.take_output()

    def end(self) -> None:
        """Let all that is on its way arrive, and every task come to its end."""
        while not self.over:
            self.collect()
            if self.up:
                self.deliver_up()
            elif self.down:
                self.deliver_down()
            elif waiting := [n for n in NAMES if self.server.task_state(n) in OPEN]:
                self.want_finish(waiting[0])
                self.say_finished(waiting[0])
            else:
                break


def check_agreement(talk: Talk) -> None:
    for name, client in talk.clients.items():
        events = talk.events[name]
        kinds = [type(event) for event in events]
        assert kinds.count(TaskStarted) <= 1
        assert kinds[:1] in ([], [TaskStarted], [Failed])
        assert sum(kind in (TaskFinished, Failed) for kind in kinds) == (client.state in DONE)
        assert client.state not in DONE or kinds[-1] in (TaskFinished, Failed)
        if client.state is State.FINISHED:
            assert kinds.count(ResultGenerated) == talk.results[name]
            assert talk.heard[name] == talk.sent[name]
            assert talk.server.task_state(name) is TaskState.NEW
        if name in talk.run:
            assert client.state in DONE
    if not talk.over:
        ran = [talk.clients[name].state for name in talk.run]
        assert ran == [State.FINISHED] * len(ran)
        idle = ConnectionState.IDLE if ran else ConnectionState.WAITING
        assert talk.server.state is idle


def converse(script: bytes) -> Talk:
    talk = Talk()
    for choice in script:
        talk.happen(choice % 16, choice // 16)
    talk.end()
    check_agreement(talk)
    return talk


@settings(max_examples=2000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.binary(min_size=40, max_size=120))
def test_both_machines_agree_however_a_conversation_goes(script: bytes) -> None:
    converse(script)


def test_the_conversations_reach_every_end() -> None:
    """The property above would be worth little if every conversation ended at once."""
    ends: Counter[str] = Counter()
    several = 0
    state = 1
    for _ in range(2000):
        script = bytearray()
        for _ in range(120):
            state = state * 6364136223846793005 + 1442695040888963407 & (1 << 64) - 1
            script.append(state >> 56)
        talk = converse(bytes(script))
        finished = [name for name in NAMES if talk.clients[name].state is State.FINISHED]
        several += len(finished) > 1
        for events in talk.events.values():
            for event in events[-1:]:
                ends[
                    type(event.error).__name__
                    if isinstance(event, Failed)
                    else type(event).__name__
                ] += 1
    assert several > 50, several
    for end in ("TaskFinished", "TaskFailed", "ConnectionLost", "TransportTimeout"):
        assert ends[end] > 50, ends
