"""Typing and presence between devices on two web processes."""

from __future__ import annotations

from tests.support.clients import Person, Socket, send_body
from tests.support.stack import Stack, until


def _listening(person: Person, url: str, conversation_id: str) -> Socket:
    device = person.socket(url)
    device.ok("subscribe", {"channels": [f"typing:{conversation_id}", f"presence:{conversation_id}"]})
    return device


def test_typing_is_told_once_ends_by_itself_and_is_never_echoed(stack: Stack, name: str) -> None:
    ann, ben = Person(stack.urls[0], f"{name}a"), Person(stack.urls[1], f"{name}b")
    direct = ann.direct(ben)
    hers, her_phone = _listening(ann, stack.urls[0], direct), _listening(ann, stack.urls[1], direct)
    his = _listening(ben, stack.urls[1], direct)
    first = hers.ok("typing", {"conversationId": direct, "isTyping": True})
    again = hers.ok("typing", {"conversationId": direct, "isTyping": True})
    assert (first["coalesced"], again["coalesced"]) == (False, True)
    his.next("typing", lambda event: event["isTyping"] and event["userId"] == ann.id)
    stopped = his.next("typing", lambda event: not event["isTyping"], within_s=8)
    assert stopped["conversationId"] == direct
    assert len(his.heard("typing")) == 2
    assert hers.heard("typing") == []
    assert her_phone.heard("typing") == []
    ann.close()
    ben.close()


def test_a_send_ends_the_typing(stack: Stack, name: str) -> None:
    ann, ben = Person(stack.url, f"{name}a"), Person(stack.url, f"{name}b")
    direct = ann.direct(ben)
    hers, his = _listening(ann, stack.url, direct), _listening(ben, stack.url, direct)
    hers.ok("typing", {"conversationId": direct, "isTyping": True})
    hers.ok("message:send", send_body(direct, "done"))
    his.next("typing", lambda event: not event["isTyping"], within_s=3)
    ann.close()
    ben.close()


def test_a_send_at_another_process_ends_the_typing(stack: Stack, name: str) -> None:
    ann, ben = Person(stack.urls[0], f"{name}a"), Person(stack.url, f"{name}b")
    direct = ann.direct(ben)
    hers, his = _listening(ann, stack.urls[0], direct), _listening(ben, stack.url, direct)
    expires = hers.ok("typing", {"conversationId": direct, "isTyping": True})["expiresAt"]
    ann.at(stack.urls[1]).ok("POST", "/messages/send", send_body(direct, "done elsewhere"))
    stopped = his.next("typing", lambda event: not event["isTyping"], within_s=4.5)
    assert stopped["expiresAt"] <= expires
    ann.close()
    ben.close()


def test_a_disconnect_ends_the_typing(stack: Stack, name: str) -> None:
    ann, ben = Person(stack.url, f"{name}a"), Person(stack.url, f"{name}b")
    direct = ann.direct(ben)
    hers, his = _listening(ann, stack.url, direct), _listening(ben, stack.url, direct)
    hers.ok("typing", {"conversationId": direct, "isTyping": True})
    his.next("typing", lambda event: event["isTyping"])
    hers.close()
    his.next("typing", lambda event: not event["isTyping"], within_s=3)
    ben.close()


def test_an_outsider_may_not_indicate_typing(stack: Stack, name: str) -> None:
    ann, ben, eve = (Person(stack.url, f"{name}{letter}") for letter in "abe")
    direct = ann.direct(ben)
    assert ann.socket().ok("typing", {"conversationId": direct, "isTyping": True})
    assert eve.socket().refused("typing", {"conversationId": direct, "isTyping": True})["code"] == "not_found"
    for person in (ann, ben, eve):
        person.close()


def test_presence_follows_all_devices_and_a_short_absence_tells_nothing(stack: Stack, name: str) -> None:
    ann, ben = Person(stack.urls[0], f"{name}a"), Person(stack.urls[1], f"{name}b")
    direct = ann.direct(ben)
    hers = _listening(ann, stack.urls[0], direct)
    his = _listening(ben, stack.urls[1], direct)
    hers.next("presence", lambda event: event["userId"] == ben.id and event["status"] == "online")
    his.ok("presence", {"status": "away", "metadata": {"note": "lunch"}})
    away = hers.next("presence", lambda event: event["userId"] == ben.id and event["status"] == "away")
    assert away["metadata"] == {"note": "lunch"}
    his.ok("presence", {"status": "online"})
    until(lambda: _status(ann, direct, ben) == "online", what="online again")
    until(lambda: _told(hers, ben)[-1] == "online", what="the telling of it")
    told = len(_told(hers, ben))
    his.close()
    back = ben.socket()
    until(lambda: _status(ann, direct, ben) == "online", what="still online")
    assert len(_told(hers, ben)) == told
    back.close()
    hers.next("presence", lambda event: event["userId"] == ben.id and event["status"] == "offline", within_s=15)
    ann.close()


def test_what_somebody_says_of_themselves_is_told_without_a_change_of_state(stack: Stack, name: str) -> None:
    ann, ben = Person(stack.urls[0], f"{name}a"), Person(stack.urls[1], f"{name}b")
    direct = ann.direct(ben)
    hers, his = _listening(ann, stack.urls[0], direct), _listening(ben, stack.urls[1], direct)
    his.ok("presence", {"status": "online", "metadata": {"note": "in a meeting"}})
    told = hers.next("presence", lambda event: event["metadata"] == {"note": "in a meeting"})
    assert (told["userId"], told["status"]) == (ben.id, "online")
    assert his.refused("presence", {"status": "busy"})["fields"].keys() == {"status"}
    for person in (ann, ben):
        person.close()


def _told(listener: Socket, about: Person) -> list[str]:
    return [event["status"] for event in listener.heard("presence", lambda event: event["userId"] == about.id)]


def _status(asker: Person, conversation_id: str, about: Person) -> str:
    items = asker.ok("GET", f"/conversations/{conversation_id}/presence")["items"]
    return next(str(item["status"]) for item in items if item["userId"] == about.id)


def test_the_presence_of_strangers_is_not_told(stack: Stack, name: str) -> None:
    ann, ben, eve = (Person(stack.url, f"{name}{letter}") for letter in "abe")
    ann.direct(ben)
    assert len(ann.ok("GET", "/presence", params={"ids": ben.id})["items"]) == 1
    assert eve.ok("GET", "/presence", params={"ids": ben.id})["items"] == []
    assert ann.refused("GET", "/presence", params={"ids": "nonsense"})[1]["fields"].keys() == {"ids"}
    for person in (ann, ben, eve):
        person.close()
