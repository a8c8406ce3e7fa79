// The browser, its pages, and what every check of the showcase page needs.
import assert from 'node:assert/strict';
import { chromium } from 'playwright-core';

// Milliseconds that anything may take, also on a machine under heavy load.
export const PATIENCE = 60_000;
// Milliseconds in which the server has to notice something by itself: less than half
// of its shortest timer that would do so later (heartbeats and pings: 30 s).
export const AT_ONCE = 14_000;
// Tells the names made by this run from those of earlier ones on the same server.
export const run = Date.now().toString(36);
export const tally = { failures: 0 };

export const launch = () => chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  headless: true,
  timeout: 3 * PATIENCE,
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
    '--disable-background-networking', '--disable-component-update', '--disable-sync',
    // The certificate whose key has this hash is trusted, and no other is.
    ...(process.env.TRUSTED_KEY ? [`--ignore-certificate-errors-spki-list=${process.env.TRUSTED_KEY}`] : [])],
});

// Whatever the browser complains about is collected; a check that provokes a
// complaint on purpose takes it out again with `expectComplaint`.
export const complaints = [];

// Opens the page in a profile of its own: pages share no sockets. Unless another path is
// given, nothing on it runs by itself.
export async function openPage(browser, base, name, path = '/?by-hand', look = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 1600 }, ...look });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE);
  page.on('console', message => {
    if (message.type() === 'error') complaints.push(`${name}: ${message.text()} (${message.location().url})`);
  });
  page.on('pageerror', error => complaints.push(`${name}: ${error.stack ?? error}`));
  page.on('request', request => {
    const { protocol, origin } = new URL(request.url());
    if (protocol.startsWith('http') && origin !== new URL(base).origin) complaints.push(`${name}: outside resource ${request.url()}`);
  });
  const response = await page.goto(new URL(path, base).href, { waitUntil: 'load' });
  assert.equal(response.status(), 200);
  assert.match(response.headers()['content-type'], /^text\/html/);
  return page;
}

export async function expectComplaint(pattern) {
  await until(`the browser's complaint ${pattern}`, () => complaints.some(text => pattern.test(text)));
  complaints.splice(complaints.findIndex(text => pattern.test(text)), 1);
}

export async function until(what, holds, patience = PATIENCE) {
  const end = Date.now() + patience;
  for (;;) {
    const value = await holds();
    if (value) return value;
    if (Date.now() > end) throw new Error(`timed out waiting for ${what}`);
    await new Promise(resolve => setTimeout(resolve, 20));
  }
}

export function fail(name, error) {
  tally.failures += 1;
  console.log(`FAIL ${name}: ${error.message.split('\n').filter(Boolean).slice(0, 12).join(' | ')}`);
}

export async function check(name, body) {
  const before = complaints.length;
  try {
    await body();
    assert.deepEqual(complaints.slice(before), [], 'the browser complained');
    console.log(`ok ${name}`);
  } catch (error) {
    fail(name, error);
  }
}

export const text = (page, id) => page.locator(`#${id}`).textContent();
export const data = (page, id, key) => page.locator(`#${id}`).evaluate((element, name) => element.dataset[name], key);

// Runs `act` and waits until the element's data-count has grown by one.
export async function counted(page, id, act) {
  const before = Number(await data(page, id, 'count'));
  await act();
  await until(`an answer in #${id}`, async () => Number(await data(page, id, 'count')) === before + 1);
}

// Runs `act` and returns the first line that it adds to the log `list` and that matches.
export async function logged(page, list, selector, act, contains = '') {
  const lines = page.locator(`#${list} > ${selector}`).filter({ hasText: contains });
  const before = await lines.count();
  await act();
  await until(`${selector} "${contains}" in #${list}`, async () => await lines.count() > before);
  const line = lines.nth(before);
  return { text: await line.textContent(), data: await line.evaluate(element => ({ ...element.dataset })) };
}
