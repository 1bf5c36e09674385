// Keys, toasts and small comforts. Every page works without this file.
(() => {
  const one = (selector) => document.querySelector(selector);
  const off = () => localStorage.getItem('keys') === 'off';
  const typing = (node) => node.closest('input:not([type=radio]), textarea, select, [contenteditable]');
  const rows = () => [...document.querySelectorAll('.row')];
  let last = '';

  function move(step) {
    const all = rows();
    const at = all.findIndex((row) => row.getAttribute('aria-current') === 'true');
    const next = all[Math.min(all.length - 1, Math.max(0, at + step))];
    if (next && next !== all[at]) next.click();
  }

  function press(selector) {
    const button = one(selector);
    if (!button) return;
    if (button.dataset.twice && !button.dataset.armed) {
      button.dataset.armed = '1';
      button.textContent = button.dataset.twice;
      button.focus();
      return;
    }
    button.click();
  }

  const keys = {
    j: () => move(1), k: () => move(-1),
    a: () => press('[data-key=a]'), e: () => press('[data-key=e]'), s: () => press('[data-key=s]'),
    u: () => press('[data-key=u]'),
    p: () => { const box = one('#from'); if (box) { box.open = true; box.scrollIntoView({ block: 'center' }); box.querySelector('summary').focus(); } },
    x: () => { const box = one('#reject'); if (box) { box.open = true; box.querySelector('input[name=reason]').focus(); } },
    '/': () => one('[type=search]')?.focus(), '?': () => one('#keys')?.showModal(),
  };

  document.addEventListener('keydown', (event) => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) return press('[data-key=save]');
    if (event.ctrlKey || event.metaKey || event.altKey || off() || typing(event.target)) return;
    const go = last === 'g' && { i: '/', a: '/activity', r: '/records', s: '/settings' }[event.key];
    last = event.key;
    if (go) { location.href = go; return; }
    if (/^[1-4]$/.test(event.key)) document.querySelectorAll('.option input')[event.key - 1]?.click();
    if (keys[event.key]) { event.preventDefault(); keys[event.key](); }
  });

  document.addEventListener('submit', (event) => {
    const button = event.submitter;
    if (button) setTimeout(() => { button.setAttribute('aria-busy', 'true'); button.disabled = true; });
  });

  document.addEventListener('click', (event) => {
    const target = event.target.closest('[data-close], [data-copy], [data-open]');
    if (!target) return;
    if (target.matches('[data-close]')) target.closest('dialog, .toast')[target.closest('dialog') ? 'close' : 'remove']();
    if (target.matches('[data-open]')) one(target.dataset.open)?.showModal();
    if (target.matches('[data-copy]')) navigator.clipboard?.writeText(one(target.dataset.copy).value);
  });

  const single = one('#single-keys');
  if (single) {
    single.checked = !off();
    single.addEventListener('change', () => localStorage.setItem('keys', single.checked ? 'on' : 'off'));
  }
  const current = one('.row[aria-current=true]');
  if (current && !one('.opened')) current.scrollIntoView({ block: 'nearest' });
  addEventListener('offline', () => document.body.classList.add('offline'));
  addEventListener('online', () => document.body.classList.remove('offline'));
})();
