// Uses every part of the showcase page in headless Chromium.
//
//     node browser.mjs BASE_URL SCREENSHOT_PATH
//
// Prints `ok NAME` or `FAIL NAME: why` per check and leaves a screenshot of
// the page as it looks after use. CHROMIUM names another browser binary.
import assert from 'node:assert/strict';
import { check, complaints, fail, launch, openPage, tally } from './browser/harness.mjs';
import { http } from './browser/http.mjs';
import { echo } from './browser/echo.mjs';
import { forms } from './browser/forms.mjs';
import { chat } from './browser/chat.mjs';
import { hub } from './browser/hub.mjs';
import { events } from './browser/events.mjs';
import { graphql } from './browser/graphql.mjs';
import { grpc } from './browser/grpc.mjs';
import { connect } from './browser/connect.mjs';
import { codings } from './browser/codings.mjs';
import { origins } from './browser/origins.mjs';
import { panels } from './browser/panels.mjs';
import { arrival } from './browser/arrival.mjs';
import { look } from './browser/look.mjs';

const [base, screenshot] = process.argv.slice(2);
if (!base || !screenshot) {
  console.error('usage: node browser.mjs BASE_URL SCREENSHOT_PATH');
  process.exit(2);
}
// A server that answers nothing must not hold the checks up for ever.
setTimeout(() => {
  console.log('FAIL browser: the checks took longer than twenty minutes');
  process.exit(1);
}, 1_200_000).unref();
const browser = await launch();
const open = name => openPage(browser, base, name);
try {
  const one = await open('one');
  const two = await open('two');
  const sections = {
    http: () => http(one),
    echo: () => echo(one),
    forms: () => forms(one),
    chat: () => chat(one, two, open),
    hub: () => hub(one, two),
    events: () => events(one, two, open),
    graphql: () => graphql(one, two),
    grpc: () => grpc(one),
    connect: () => connect(browser, base),
    codings: () => codings(browser, base),
    origins: () => origins(browser, base),
    panels: () => panels(one),
    look: () => look(one, screenshot),
    arrival: () => arrival(browser, base),
  };
  // A section that stops half-way does not keep the others from being tried.
  for (const [name, use] of Object.entries(sections)) await use().catch(error => fail(name, error));
  await check('no console error and no page error', async () => assert.deepEqual(complaints, []));
} catch (error) {
  fail('browser', error);
} finally {
  await browser.close();
}
process.exit(tally.failures ? 1 : 0);
