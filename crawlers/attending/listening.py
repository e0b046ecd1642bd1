"""Listens in every page and frame, from an isolated world, for what a person does there.

The page cannot see our listeners, call what they tell us by, or undo them unseen: they stand in a world of their own,
hear each event before the page does, and take none that a script made (``isTrusted``). One thing takes them away:
``document.open()`` erases every listener of a window. They come back at once, and the browser's own count of events
(``performance.eventCounts``, Event Timing API) says how many were kept from us meanwhile: they are told as ``unseen``.
"""

import asyncio
import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any

from crawlers.attending.inputs import KINDS, Inputs, target_of
from crawlers.recording.line import Line, Message
from crawlers.recording.withholding import PASSWORD, UNSEEN, Withholding
from crawlers.tab import TabTrouble
from custody.model import Json

WORLD = "counterproof-attending"
MAX_PAYLOAD = 4_000
"""Characters; what our listener tells is shorter."""
CLOSER_S = 5.0
_BINDING = "counterproofTell"


class Listening:
    """A ``Companion`` of the recorder."""

    def __init__(self, inputs: Inputs, withholding: Withholding) -> None:
        self.shots_asked = 0
        """By the key that asks for a picture."""
        self.malformed = 0
        """Messages that our listener does not make."""
        self._inputs = inputs
        self._withholding = withholding
        self._looking: set[asyncio.Task[None]] = set()
        self._in_clear: set[tuple[int, object]] = set()

    def begin(self, line: Line) -> "asyncio.Future[Message]":
        """All of it before the page runs; the last answer says that it stands."""
        line.post("Runtime.enable")
        line.post("Runtime.addBinding", name=_BINDING, executionContextName=WORLD)
        line.post("Page.enable")
        return line.post("Page.addScriptToEvaluateOnNewDocument", source=SCRIPT, worldName=WORLD, runImmediately=True)

    @property
    def is_in_clear(self) -> bool:
        """Whether a secret can be read off the screen."""
        return bool(self._in_clear)

    def heard(self, line: Line, method: str, params: Message) -> None:
        if method == "Runtime.executionContextsCleared":
            self._in_clear = {each for each in self._in_clear if each[0] != id(line)}
        if method != "Runtime.bindingCalled" or params.get("name") != _BINDING:
            return
        payload = str(params.get("payload", ""))
        try:
            said = json.loads(payload) if len(payload) <= MAX_PAYLOAD else None
        except ValueError:
            said = None
        if isinstance(said, Mapping) and isinstance(said.get("k"), str):
            self._take(line, said, params.get("executionContextId"))
        else:
            self.malformed += 1

    async def settle(self, *, within: float) -> None:
        """Wait for what is still being looked into; what cannot be looked into counts as a secret."""
        if self._looking:
            await asyncio.wait(self._looking, timeout=within)
        for task in [*self._looking]:
            task.cancel()
        await asyncio.gather(*self._looking, return_exceptions=True)

    def _take(self, line: Line, said: Mapping[str, Any], context: object) -> None:
        kind, at = said["k"], self._inputs.at(said.get("t"))
        if kind == "shot":
            self.shots_asked += 1
        elif kind == "secret":
            self._withholding.begin(at, PASSWORD)
        elif kind == "clear":
            where = id(line), context
            self._in_clear = self._in_clear | {where} if said.get("on") else self._in_clear - {where}
        elif kind == "closed":
            task = asyncio.ensure_future(self._look_closer(line, context, lambda: self._withholding.begin(at, UNSEEN)))
            self._looking.add(task)
            task.add_done_callback(self._looking.discard)
        elif kind in {"more", "unseen"}:
            counts = {
                name: count
                for name, count in (said["of"].items() if isinstance(said.get("of"), Mapping) else ())
                if isinstance(name, str) and isinstance(count, int) and 0 < count < 1 << 31
            }
            if kind == "more":
                self._inputs.more.update({name: count for name, count in counts.items() if name in KINDS})
            elif counts:
                self._inputs.add("unseen", at, {name: counts[name] for name in sorted(counts) if name in _COUNTED})
                if counts.keys() & _TYPING:
                    self._withholding.begin(at, UNSEEN)
        elif kind in KINDS:
            target = target_of(said.get("el"))
            if self._withholding.covers(at):
                target.pop("name", None)  # a page could have written there what was typed
                target.pop("chosen", None)
            frame = said.get("frame")
            self._inputs.add(kind, at, target, frame=frame if isinstance(frame, str) else "")
        else:
            self.malformed += 1

    async def _look_closer(self, line: Line, context: object, is_secret: Callable[[], object]) -> None:
        """Text went into a closed shadow root, which no script but its maker's sees into: ask the browser itself."""
        harmless = False
        try:
            async with asyncio.timeout(CLOSER_S):
                focused = await line.post(
                    "Runtime.evaluate", expression="document.activeElement", contextId=context, returnByValue=False
                )
                node = await line.post(
                    "DOM.describeNode", objectId=focused["result"].get("objectId", ""), depth=-1, pierce=True
                )
                harmless = _holds_text_field(node["node"]) and not _holds_password(node["node"])
        except (TabTrouble, TimeoutError, KeyError):
            harmless = False
        finally:
            if not harmless:
                is_secret()


_COUNTED = ("click", "keydown", "beforeinput")
_TYPING = frozenset({"keydown", "beforeinput"})
_SECRET_TOKENS = ("current-password", "new-password", "one-time-code")  # WHATWG HTML, "autofill field"


def _attributes(node: Mapping[str, Any]) -> dict[str, str]:
    flat = node.get("attributes", [])
    return dict(zip(flat[::2], flat[1::2], strict=False))


def _nodes(node: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    found, waiting = [], [node]
    while waiting:
        each = waiting.pop()
        found.append(each)
        waiting += [*each.get("children", ()), *each.get("shadowRoots", ())]
    return found


def _holds_text_field(node: Mapping[str, Any]) -> bool:
    fields = {"input", "textarea"}
    return any(each.get("localName") in fields or "contenteditable" in _attributes(each) for each in _nodes(node))


def _holds_password(node: Mapping[str, Any]) -> bool:
    for each in _nodes(node):
        attributes = _attributes(each)
        tokens = attributes.get("autocomplete", "").lower().split()
        if each.get("localName") == "input" and attributes.get("type", "").lower() == "password":
            return True
        if any(token in tokens for token in _SECRET_TOKENS):
            return True
    return False


_LISTENER = """(() => {
  const tell = globalThis[BINDING];
  if (typeof tell !== 'function' || globalThis.counterproofListens) return;
  globalThis.counterproofListens = true;
  const PER_SECOND = 40, WORDS = 80, NODES = 50;
  const frame = window === window.top ? undefined : (location.host || location.protocol);
  const when = event => performance.timeOrigin + event.timeStamp;
  const say = what => tell(JSON.stringify(what));
  const getter = (of, name) => Object.getOwnPropertyDescriptor(of.prototype, name).get;
  const tagOf = getter(Element, 'localName'), rootOf = getter(Element, 'shadowRoot');
  const attribute = (element, name) => Element.prototype.getAttribute.call(element, name) || '';
  const flat = text => text.replace(/\\s+/g, ' ').trim().slice(0, WORDS);
  const ACTS = 'a,button,label,summary,option,select,input,textarea,[role],[onclick],[contenteditable]';
  const TEXT = new Set(['text', 'search', 'email', 'url', 'tel', 'number', 'password', 'date', 'time', 'month', 'week',
                        'datetime-local', 'color', '']);
  const TOKENS = new Set(SECRET_TOKENS);

  const typed = element => element instanceof Element && (
    (tagOf.call(element) === 'input' && TEXT.has(attribute(element, 'type').toLowerCase()))
    || tagOf.call(element) === 'textarea' || element.isContentEditable === true);
  // What stands on a thing that is pressed. Never of a thing that is typed into: its text is what was typed.
  const words = element => {
    if (typed(element) || Element.prototype.querySelector.call(element, '[contenteditable],textarea')) return '';
    const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
    let said = '';
    for (let n = 0; n < NODES && said.length < 2 * WORDS; n++) {
      const node = walker.nextNode();
      if (!node) break;
      said += node.data.slice(0, 2 * WORDS) + ' ';
    }
    return flat(said);
  };
  const nameOf = element => {
    const tag = tagOf.call(element), given = flat(attribute(element, 'aria-label') || attribute(element, 'title'));
    if (given) return given;
    if (tag === 'input' || tag === 'select' || tag === 'textarea') {
      const label = element.labels && element.labels[0];
      const button = ['submit', 'button', 'reset'].includes(attribute(element, 'type').toLowerCase());
      return flat((label && label instanceof Element && words(label)) || attribute(element, 'placeholder')
        || (button && attribute(element, 'value')) || attribute(element, 'name') || attribute(element, 'id'));
    }
    if (tag === 'img') return flat(attribute(element, 'alt'));
    return Element.prototype.matches.call(element, ACTS) ? words(element) : flat(attribute(element, 'id'));
  };
  const describe = origin => {
    if (!(origin instanceof Element)) return {};
    const element = Element.prototype.closest.call(origin, ACTS) || origin;
    const said = {tag: tagOf.call(element).slice(0, WORDS), role: flat(attribute(element, 'role')),
                  name: nameOf(element)};
    if (said.tag === 'input') said.type = flat(attribute(element, 'type')) || 'text';
    return Object.fromEntries(Object.entries(said).filter(([, value]) => value));
  };

  const secrets = new WeakSet();  // a field that was one stays one, whatever the page turns it into
  const fields = [], MOST = 50;
  const isSecret = element => {
    if (!(element instanceof Element)) return false;
    if (secrets.has(element)) return true;
    const tokens = attribute(element, 'autocomplete').toLowerCase().split(/\\s+/);
    const hides = typed(element) && getComputedStyle(element).webkitTextSecurity;
    const found = (tagOf.call(element) === 'input' && attribute(element, 'type').toLowerCase() === 'password')
      || tokens.some(each => TOKENS.has(each)) || (hides && hides !== 'none');
    if (found) {
      secrets.add(element);
      if (fields.length < MOST) fields.push(new WeakRef(element));
    }
    return found;
  };
  // Whether a secret can be read off the screen: pictures have to wait until it cannot.
  let clear = false;
  const look = () => {
    const now = fields.map(each => each.deref()).some(each => each && each.isConnected && each.value
      && attribute(each, 'type').toLowerCase() !== 'password' && getComputedStyle(each).webkitTextSecurity === 'none');
    if (now !== clear) say({k: 'clear', on: clear = now});
  };
  // Text that goes into something that takes none: into a shadow root that is closed to us.
  const HOSTS = new Set(['article', 'aside', 'blockquote', 'body', 'div', 'footer', 'h1', 'h2', 'h3', 'h4', 'h5', 'h6',
                         'header', 'main', 'nav', 'p', 'section', 'span']);  // WHATWG DOM, "valid shadow host name"
  const isClosed = element => element instanceof Element && !typed(element) && !rootOf.call(element)
    && (HOSTS.has(tagOf.call(element)) || tagOf.call(element).includes('-'));

  let room = PER_SECOND, more = {};
  const add = (kind, event, extra) => {
    if (room <= 0) { more[kind] = (more[kind] || 0) + 1; return; }
    room -= 1;
    const origin = event.composedPath()[0];
    say({k: kind, t: when(event), el: {...describe(origin), ...extra}, frame});
  };
  const heard = {};
  let scrolled = -Infinity, held = false, told = null, keyed = -Infinity;
  const scrolls = event => {
    if (event.timeStamp - scrolled < 1000) return;
    scrolled = event.timeStamp;
    add('scroll', event);
  };
  // Keys into a secret are told once in a row: neither how many there were nor when each was pressed is anybody's.
  const typing = (kind, event) => {
    const origin = event.composedPath()[0];
    if (isSecret(origin)) {
      say({k: 'secret', t: when(event)});
      if (told === origin) return;
      told = origin;
    } else {
      told = null;
      if (kind !== 'key' && isClosed(origin)) say({k: 'closed', t: when(event)});
    }
    add(kind, event);
  };
  const take = {
    pointerdown: event => { held = true; isSecret(event.composedPath()[0]); },
    pointerup: () => { held = false; },
    focusin: event => { isSecret(event.composedPath()[0]); },
    click: event => add(event.pointerType === 'touch' ? 'tap' : 'click', event),
    auxclick: event => add('click', event),
    keydown: event => {
      if (event.code === 'F9') {
        event.preventDefault();
        event.stopImmediatePropagation();
        if (!event.repeat) say({k: 'shot'});
        return;
      }
      keyed = event.timeStamp;
      if (!event.repeat) typing('key', event);
    },
    paste: event => { keyed = event.timeStamp; typing('paste', event); },
    drop: event => { keyed = event.timeStamp; typing('drop', event); },
    input: event => {
      const origin = event.composedPath()[0];
      if (!typed(origin) && !isClosed(origin)) return;
      if (event.timeStamp - keyed > 200) typing('input', event);
      else if (isSecret(origin)) say({k: 'secret', t: when(event)});
      else if (isClosed(origin)) say({k: 'closed', t: when(event)});
    },
    change: event => {
      const origin = event.composedPath()[0];
      if (isSecret(origin)) return;
      const option = origin instanceof HTMLSelectElement && origin.selectedOptions[0];
      add('change', event, option ? {chosen: words(option)} : {});
    },
    wheel: scrolls,
    touchmove: scrolls,
    scroll: event => { if (held) scrolls(event); },
  };
  const on = event => {
    if (!event.isTrusted) return;
    heard[event.type] = (heard[event.type] || 0) + 1;
    take[event.type]?.(event);
    if (fields.length && ['click', 'input', 'keydown'].includes(event.type)) setTimeout(look, 0);
  };
  const arm = () => {
    for (const type of [...Object.keys(take), 'beforeinput']) {
      addEventListener(type, on, {capture: true, passive: type !== 'keydown'});
    }
    addEventListener('pagehide', leave, {capture: true});
  };
  const COUNTED = ['click', 'keydown', 'beforeinput'];
  const counts = performance.eventCounts;
  const before = Object.fromEntries(COUNTED.map(type => [type, counts.get(type) || 0]));
  const hidden = {};
  const check = () => {
    arm();
    if (fields.length) look();
    const of = {};
    for (const type of COUNTED) {
      const missed = (counts.get(type) || 0) - before[type] - (heard[type] || 0);
      if (missed > (hidden[type] || 0)) {
        of[type] = missed - (hidden[type] || 0);
        hidden[type] = missed;
      }
    }
    if (Object.keys(of).length) say({k: 'unseen', of, t: performance.timeOrigin + performance.now()});
    if (Object.keys(more).length) say({k: 'more', of: more});
    room = PER_SECOND;
    more = {};
  };
  const leave = () => {
    check();
    if (clear) say({k: 'clear', on: clear = false});
  };
  arm();
  new MutationObserver(arm).observe(document, {childList: true});
  setInterval(check, 1000);
})()"""
SCRIPT = _LISTENER.replace("BINDING", json.dumps(_BINDING)).replace("SECRET_TOKENS", json.dumps(_SECRET_TOKENS))


def described() -> Mapping[str, Json]:
    """What ran in the pages, for the record."""
    return {"name": "attending", "world": "isolated", "sha256": hashlib.sha256(SCRIPT.encode()).hexdigest()}
