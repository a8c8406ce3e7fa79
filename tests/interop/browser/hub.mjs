// The section of channels that remember, with two pages in one channel.
import assert from 'node:assert/strict';
import { run, check, data, logged, text, until } from './harness.mjs';

export async function hub(one, two) {
  const channel = `cups-${run}`;
  const answer = (page, kind, act) => logged(page, 'hub-log', `[data-way=down][data-kind=${kind}]`, act);
  const broadcast = (page, value) => answer(page, 'published', async () => {
    await page.fill('#hub-data', value);
    await page.click('#hub-send');
  });
  const got = page => page.locator(`#hub-log > [data-kind=publication][data-channel="${channel}"]`)
    .evaluateAll(lines => lines.map(line => [Number(line.dataset.offset), line.children[2].textContent]));
  const comes = (page, count) => until(`${count} publications`, async () => (await got(page)).length === count);

  await check('channels are subscribed to, and say where they are', async () => {
    for (const page of [one, two]) {
      const line = await answer(page, 'subscribed', async () => {
        await page.fill('#hub-channel', channel);
        await page.click('#hub-subscribe');
      });
      assert.match(line.text, /"offset":0,"epoch":"[0-9a-f]{16}","recovered":null/);
      assert.equal(await data(page, 'hub-state', 'state'), 'open');
    }
  });
  await check('a broadcast goes to the other page as it is', async () => {
    for (const value of ['{"cup":1}', 'Grüße', 'null', '0']) await broadcast(one, value);
    await comes(two, 4);
    assert.deepEqual(await got(two), [[1, '{"cup":1}'], [2, '"Grüße"'], [3, 'null'], [4, '0']]);
    assert.deepEqual(await got(one), []);
  });
  await check('a page that was offline gets what it missed, once and in order', async () => {
    await broadcast(two, '"mine"');
    await comes(one, 1);
    await two.click('#hub-offline');
    await two.waitForSelector('#hub-state[data-state=closed]');
    assert.equal(await data(two, 'hub-offline', 'offline'), 'yes');
    for (const value of ['6', '7', '8']) await broadcast(one, value);
    await two.waitForSelector('#hub-offline[data-offline=no]');
    await two.waitForSelector('#hub-place[data-recovered=true]');
    assert.equal(await text(two, 'hub-place'), `${channel}: recovered: 3 missed`);
    await broadcast(one, '9');
    await comes(two, 8);
    assert.deepEqual((await got(two)).map(it => it[0]), [1, 2, 3, 4, 6, 7, 8, 9]);
    assert.deepEqual(await got(one), [[5, '"mine"']]);
  });
  await check('a page that has unsubscribed gets nothing more', async () => {
    await answer(two, 'unsubscribed', () => two.click('#hub-unsubscribe'));
    await broadcast(one, '10');
    await answer(two, 'unsubscribed', () => two.click('#hub-unsubscribe'));
    assert.equal((await got(two)).length, 8);
  });
}
