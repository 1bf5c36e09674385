// Keys, cards without reloading, the live stream. Every page works without this file.
(() => {
  const one = (selector, root = document) => root.querySelector(selector);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const main = () => one('#main');
  const cookie = (name, value) => { document.cookie = `${name}=${value}; path=/; max-age=31536000; samesite=lax`; };
  const single = () => !/(^|; )keys=off/.test(document.cookie);
  const typing = (node) => node.closest?.('input:not([type=radio]):not([type=checkbox]), textarea, select, [contenteditable]');
  const cardOf = (address) => new URL(address, location).searchParams.get('card');
  const shown = () => one('.sheet')?.dataset.card ?? '';
  const token = () => one('meta[name=csrf]')?.content ?? '';

  let fetching = false, again = false, rested = 0; // the page that fetches itself
  let stream = null, tries = 0, timer = 0, full = false, leaving = false; // the stream that says when

  function say(text) { const box = one('#say'); if (box) { box.textContent = ''; box.textContent = text; } }

  // ---- One page at a time: while one is on its way, keys wait and know which card they were meant for.
  let busy = { card: cardOf(location.href), decided: '' };
  const waiting = [];

  function swap(text, address, push, refused) {
    const next = new DOMParser().parseFromString(text, 'text/html'), fresh = one('#main', next);
    if (refused && !fresh) throw new Error(text);
    if (!fresh || !main() || fresh.dataset.page !== main().dataset.page && !refused) { left = true; location.href = address; return; }
    const was = document.activeElement?.id, before = shown();
    main().replaceWith(fresh);
    for (const id of ['bars', 'count-inbox']) region(id, next);
    const toast = one('#toast', next);
    if (toast?.childElementCount || Date.now() - toasted > 30000) { one('#toast').replaceWith(toast); toasted = Date.now(); say(toast.textContent.trim()); }
    document.body.className = next.body.className;
    document.title = next.title;
    if (push !== null) history[push ? 'pushState' : 'replaceState']({}, '', address);
    const field = one('[data-focus]') ?? (was && document.getElementById(was));
    if (field) field.focus({ preventScroll: !field.matches('[data-focus]') }); else main().focus({ preventScroll: true });
    if (location.hash) document.getElementById(location.hash.slice(1))?.scrollIntoView(); else scrollTo(0, 0);
    if (!one('.opened') && before) document.getElementById(`row-${before}`)?.scrollIntoView({ block: 'nearest' });
    settle();
  }
  let toasted = 0, left = false;

  const dirty = () => one('[data-edited]') || all('[name^="edit."]').some((field) => field.value !== field.defaultValue);
  addEventListener('beforeunload', (event) => { if (!left && dirty() && one('.sheet [data-cancel]')) event.preventDefault(); });

  let turn = 0;
  async function visit(address, push = true, form = null, decided = '') {
    if (busy?.form || !form && dirty() && !confirm('Leave this card without keeping your edit?')) return;
    const mine = ++turn;
    busy = { card: form ? null : cardOf(address), decided, form };
    main()?.setAttribute('aria-busy', 'true');
    try {
      const answer = await fetch(address, form ? { method: 'POST', body: form, headers: { 'X-CSRF': token(), 'X-Swap': '1' } } : {});
      const path = new URL(answer.url), text = await answer.text();
      if (mine !== turn) return;
      if (path.pathname === '/signin') { location.href = answer.url; return; }
      const plain = form && !answer.redirected ? location.href : path.pathname + path.search + new URL(address, location).hash;
      swap(text, answer.headers.get('X-Address') ?? plain, push, form && !answer.ok);
    } catch (fault) {
      if (mine !== turn) return;
      main()?.removeAttribute('aria-busy');
      all('button[aria-busy]').forEach((button) => { button.removeAttribute('aria-busy'); button.disabled = false; });
      if (fault instanceof TypeError) lost();
      say(form ? 'No answer came. Press it again: the same decision twice counts once.' : 'No connection to Soloist.');
      waiting.length = 0;
    }
    free();
  }

  function free() {
    busy = null;
    while (waiting.length && !busy) {
      const key = waiting.shift();
      const fits = key.card !== null && key.card === shown() || key.name === 'u' && key.decided && one('#toast [data-card]')?.dataset.card === key.decided;
      if (bound.has(key.name) && !fits) { say('A key came before its card was shown and was not counted.'); continue; }
      act(key.name);
    }
    if (again && !busy) { again = false; refresh(); }
  }

  // ---- Keys
  const bound = new Set(['a', 'e', 'x', 's', 'u', '1', '2', '3', '4', 'save']);
  const rows = () => all('.row');
  let last = '';

  function move(step) {
    const list = rows();
    const at = list.findIndex((row) => row.getAttribute('aria-current') === 'true');
    const next = list[Math.min(list.length - 1, Math.max(0, at + step))];
    if (next && next !== list[at]) next.click();
    else if (!list.length && !one('.desk')) location.href = '/';
  }

  function press(selector) {
    const button = one(selector);
    if (!button || button.disabled) return;
    if (button.dataset.twice && !button.dataset.armed) {
      button.dataset.armed = '1';
      button.textContent = button.dataset.twice;
      button.focus();
      return;
    }
    button.click();
  }

  function open(selector, first) {
    const box = one(selector);
    if (!box) return;
    box.open = true;
    one(first, box)?.focus({ preventScroll: true });
  }

  const keys = {
    j: () => move(1), k: () => move(-1),
    a: () => one('[data-key=a]') ? press('[data-key=a]') : say(one('.onlyreads')?.textContent ?? ''),
    e: () => press('[data-key=e]'), u: () => press('[data-key=u]'), save: () => press('[data-key=save]'),
    s: () => open('#later', 'button'), x: () => open('#reject', 'input[name=reason]'),
    p: () => { const box = one('#from'); if (box) { box.open = true; box.scrollIntoView({ block: 'center' }); one('summary', box).focus(); } },
    '/': () => (one('#find') ?? one('[type=search]'))?.focus(), '?': () => one('#keys')?.showModal(),
    Escape: () => { const box = one('details.menu[open], #later[open], #reject[open]'); if (box) { box.open = false; one('summary', box).focus(); } else one('[data-cancel]')?.click(); },
  };
  for (const digit of '1234') {
    keys[digit] = () => (one('#later[open]') ? all('#later button') : all('.option input'))[digit - 1]?.click();
  }

  function act(name) {
    const go = last === 'g' && { i: '/', a: '/activity', r: '/records', n: '/runs', s: '/settings' }[name];
    last = name;
    if (!go) return keys[name]?.();
    busy = { card: null, decided: '' };
    location.href = go;
  }

  document.addEventListener('keydown', (event) => {
    const saves = event.key === 'Enter' && (event.ctrlKey || event.metaKey);
    if (one('dialog[open]') || event.isComposing) return;
    if (!saves && event.key !== 'Escape') {
      if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || !single() || typing(event.target)) return;
    }
    const name = saves ? 'save' : event.key;
    if (!keys[name] && name !== 'g' && last !== 'g') { last = ''; return; }
    if (keys[name] && name !== 'Escape') event.preventDefault();
    if (!busy) act(name);
    else if (waiting.length < 9) waiting.push({ name, card: busy.card, decided: busy.decided });
  });
  addEventListener('pagehide', () => { if (waiting.length) sessionStorage.keys = JSON.stringify({ at: Date.now(), names: waiting.filter((key) => !bound.has(key.name)) }); });

  // ---- Cards without reloading
  document.addEventListener('click', (event) => {
    const link = event.target.closest('a[data-swap]');
    if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey && event.button === 0) { event.preventDefault(); visit(link.href); return; }
    const target = event.target.closest('[data-close], [data-copy], [data-open]');
    if (!target) return;
    if (target.matches('[data-close]')) target.closest('dialog, .toast')[target.closest('dialog') ? 'close' : 'remove']();
    if (target.matches('[data-open]')) one(target.dataset.open)?.showModal();
    if (target.matches('[data-copy]')) navigator.clipboard?.writeText(one(target.dataset.copy).value);
  });

  document.addEventListener('submit', (event) => {
    const form = event.target, button = event.submitter;
    if (form.matches('[data-swap]')) {
      event.preventDefault();
      if (busy) return;
      const fields = new URLSearchParams(new FormData(form));
      if (button?.name) fields.set(button.name, button.value);
      const decides = fields.get('option') !== 'edit' && fields.get('option') !== 'compare' && fields.get('option') !== 'look';
      visit(form.getAttribute('action'), true, fields, decides ? shown() : '');
    }
    if (button) setTimeout(() => { if (busy || !form.matches('[data-swap]')) { button.setAttribute('aria-busy', 'true'); button.disabled = true; } });
  });
  addEventListener('popstate', () => visit(location.href, null));

  // ---- Live: the stream says what is old, the page fetches itself and takes over what changed.
  function region(id, next) {
    const here = document.getElementById(id), there = next.getElementById(id);
    if (!here || !there || here.outerHTML === there.outerHTML) return false;
    const focus = here.contains(document.activeElement) ? document.activeElement.id : '', at = here.scrollTop;
    here.replaceWith(there);
    there.scrollTop = at;
    if (focus) document.getElementById(focus)?.focus({ preventScroll: true });
    return true;
  }

  function moved(next) {
    const sheet = one('.sheet'), fresh = one('.sheet', next);
    if (!sheet || !fresh || sheet.dataset.card !== fresh.dataset.card || sheet.dataset.mark === fresh.dataset.mark) return;
    const note = one('#moved');
    note.hidden = false;
    one('span', note).textContent = fresh.dataset.state === 'open' ? 'It changed since you looked.' : fresh.dataset.line || 'It was decided elsewhere.';
    say(note.textContent.trim());
  }

  async function refresh() {
    if (fetching || busy) { again = true; return; }
    fetching = true;
    try {
      await new Promise((done) => setTimeout(done, Math.max(0, rested - Date.now())));
      const page = main(), answer = await fetch(page.dataset.src || location.href, { headers: { 'X-Peek': '1' } });
      if (new URL(answer.url).pathname === '/signin') { location.href = answer.url; return; }
      const next = new DOMParser().parseFromString(await answer.text(), 'text/html'), fresh = one('#main', next);
      if (answer.ok && fresh && main() === page && !busy) {
        if (page.dataset.page === 'inbox' && !one('.sheet')) { page.replaceWith(fresh); document.body.className = next.body.className; settle(); } else {
          for (const id of ['head', 'queue', 'list']) region(id, next);
          moved(next);
          page.dataset.seq = fresh.dataset.seq;
          settle(false);
        }
        for (const id of ['bars', 'count-inbox']) region(id, next);
        document.title = next.title;
      }
    } catch { lost(); }
    fetching = false;
    rested = Date.now() + 250;
    if (again) { again = false; refresh(); }
  }

  function lost() {
    if (leaving || left) return;
    document.body.classList.add('offline');
    quiet();
    retry();
  }
  function retry() {
    clearTimeout(timer);
    timer = setTimeout(listen, Math.min(30000, 500 * 2 ** tries) * (0.7 + Math.random() * 0.6));
  }
  function listen() {
    clearTimeout(timer);
    if (stream || document.hidden || full || !main()?.dataset.topics) return;
    stream = new EventSource(`/live?after=${main().dataset.seq}`);
    stream.onopen = () => { tries = 0; document.body.classList.remove('offline'); };
    stream.addEventListener('full', () => { full = true; quiet(); });
    stream.addEventListener('changed', (event) => {
      const mine = main().dataset.topics.split(' ');
      if (JSON.parse(event.data).some((topic) => mine.includes(topic))) refresh(); else if (main()) main().dataset.seq = event.lastEventId;
    });
    stream.onerror = async () => {
      quiet();
      if (document.hidden || leaving) return;
      tries += 1;
      if (tries > 1) lost(); else retry();
      const answer = await fetch('/live?probe=1', { headers: { 'HX-Request': 'true' } }).catch(() => null);
      if (!answer && !stream) lost();
      if (answer?.status === 401) location.href = `/signin?next=${encodeURIComponent(location.pathname + location.search)}`;
    };
  }
  function quiet() { stream?.close(); stream = null; }
  addEventListener('pagehide', () => { leaving = true; quiet(); });
  addEventListener('pageshow', () => { leaving = false; listen(); });
  addEventListener('offline', lost);
  addEventListener('online', () => { tries = 0; listen(); });
  addEventListener('focus', () => { full = false; listen(); });

  // ---- The operator is here: only a visible page that somebody used says so.
  let used = true, noted = 0;
  for (const kind of ['keydown', 'pointerdown', 'wheel', 'touchstart']) addEventListener(kind, () => { used = true; }, { passive: true });
  function looked(now) {
    if (document.hidden && !now || !used || !main()?.dataset.seq || Date.now() - noted < 30000 && !now) return;
    used = false;
    noted = Date.now();
    fetch('/looked', { method: 'POST', keepalive: true, headers: { 'X-CSRF': token() }, body: new URLSearchParams({ seq: main().dataset.seq }) }).catch(() => {});
  }
  setInterval(looked, 30000);
  document.addEventListener('visibilitychange', () => {
    if (document.hidden) { looked(true); quiet(); clearTimeout(timer); } else { used = true; full = false; listen(); looked(); }
  });

  // ---- What follows each new page or part of it
  function settle(scroll = true) {
    const row = one('.row[aria-current=true]'), count = Number(one('#count-inbox')?.dataset.count ?? 0);
    if (scroll && row && !one('.opened')) row.scrollIntoView({ block: 'nearest' });
    if (navigator.setAppBadge) (count ? navigator.setAppBadge(count) : navigator.clearAppBadge()).catch(() => {});
    if (one('.error-page')) say(one('h1').textContent);
  }

  document.addEventListener('DOMContentLoaded', () => {
    const box = one('#single-keys'), theme = one('#theme');
    if (box) { box.checked = single(); box.addEventListener('change', () => cookie('keys', box.checked ? 'on' : 'off')); }
    theme?.addEventListener('change', () => { cookie('theme', theme.value); document.documentElement.dataset.theme = theme.value; });
    if (one('#toast')?.childElementCount) { toasted = Date.now(); say(one('#toast').textContent.trim()); }
    settle();
    const kept = JSON.parse(sessionStorage.keys ?? 'null');
    delete sessionStorage.keys;
    if (kept && Date.now() - kept.at < 5000) waiting.unshift(...kept.names.map((key) => ({ ...key, card: null })));
    free();
    listen();
    looked();
    navigator.serviceWorker?.register('/static/sw.js', { scope: '/' }).catch(() => {});
  });
})();
