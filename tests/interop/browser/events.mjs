// The live events section: ticks, and the broadcaster with two clients.
import assert from 'node:assert/strict';
import { AT_ONCE, run, until, check, text, data, logged } from './harness.mjs';

export async function events(one, two, open) {
  await check('ticks arrive once a second with rising ids', async () => {
    const start = Date.now();
    await one.click('#ticks-toggle');
    await one.waitForSelector('#ticks-state[data-state=open]');
    const ids = [];
    await until('seven ticks', async () => {
      const id = Number(await text(one, 'ticks-id'));
      if (id > 0 && id !== ids.at(-1)) ids.push(id);
      return Number(await data(one, 'ticks', 'count')) >= 7;
    });
    const took = Date.now() - start;
    assert.deepEqual(ids, ids.toSorted((a, b) => a - b));
    // A tick may come late, but never early, and what was late does not add up.
    assert.ok(took > 5500 && took < 11_500, `six seconds of ticks in ${took} ms`);
    assert.ok(Number(await text(one, 'ticks-gap')) > 0);
  });

  const connect = async (page, id) => {
    const line = await logged(page, 'events-log', '[data-way=down][data-kind=connected]', async () => {
      await page.fill('#events-id', id);
      await page.click('#events-toggle');
    });
    await page.waitForSelector('#events-state[data-state=open]');
    return line;
  };
  const arrives = (page, kind, act, contains) => logged(page, 'events-log', `[data-way=down][data-kind=${kind}]:not([data-api])`, act, contains);
  const answer = (page, api, act) => logged(page, 'events-log', `[data-api=${api}]`, act);
  const json = line => JSON.parse(line.text.slice(line.text.indexOf('{'), line.text.lastIndexOf('}') + 1));
  const clients = async page => json(await answer(page, 'clients', () => page.click('#clients-get'))).client_count;
  const [left, right] = [`left-${run}`, `right-${run}`];

  await check('events greet a client by its id', async () => {
    const line = await connect(one, left);
    await until('the only client', async () => await clients(one) === 1);
    assert.equal(await data(one, 'events-state', 'client'), left);
    assert.match(line.text, /"timestamp"/);
  });
  await check('events make a unique id where none is given', async () => {
    const before = await clients(one);
    await connect(two, '');
    const first = await data(two, 'events-state', 'client');
    assert.ok(first, 'no client_id in the event');
    await two.click('#events-toggle');
    await until('the client to be gone', async () => await clients(one) === before);
    await connect(two, '');
    assert.notEqual(await data(two, 'events-state', 'client'), first);
    await two.click('#events-toggle');
    await until('the client to be gone', async () => await clients(one) === before);
  });
  await check('events count the clients', async () => {
    const before = await clients(one);
    await connect(two, right);
    assert.equal(await clients(one), before + 1);
  });
  await check('broadcast reaches everyone', async () => {
    const all = await clients(one);
    let reply;
    const there = await arrives(two, 'news', async () => {
      await arrives(one, 'news', async () => {
        reply = json(await answer(one, 'broadcast', () => one.click('#broadcast-send')));
      });
    });
    assert.deepEqual(reply, { status: 'sent', clients: all });
    assert.deepEqual(json(there), { text: 'It works' });
  });
  await check('broadcast reaches only the clients named', async () => {
    const before = await one.locator('#events-log [data-way=down][data-kind=news]').count();
    await one.fill('#broadcast-to', `${right}, nobody-${run}`);
    await one.fill('#broadcast-data', 'plain text');
    let reply;
    const there = await arrives(two, 'news', async () => {
      reply = json(await answer(one, 'broadcast', () => one.click('#broadcast-send')));
    });
    assert.deepEqual(reply, { status: 'sent', clients: 1 });
    assert.match(there.text, /"plain text"/);
    await clients(one);
    assert.equal(await one.locator('#events-log [data-way=down][data-kind=news]').count(), before);
    await one.fill('#broadcast-to', '');
    await one.fill('#broadcast-data', '{"text":"It works"}');
  });
  for (const priority of ['high', 'normal']) {
    await check(`notify with ${priority} priority reaches everyone`, async () => {
      await one.selectOption('#notify-priority', priority);
      let reply;
      const there = await arrives(two, 'notification', async () => {
        await arrives(one, 'notification', async () => {
          reply = json(await answer(one, 'notify', () => one.click('#notify-send')));
        });
      });
      assert.deepEqual(reply, { status: 'notification sent' });
      const { title, message, priority: received } = json(there);
      assert.deepEqual({ title, message, received }, { title: 'Deploy', message: 'Done in 3 s', received: priority });
    });
  }
  await check('update reaches only the clients named', async () => {
    const before = await two.locator('#events-log [data-way=down][data-kind=update]').count();
    await one.fill('#update-to', left);
    let reply;
    const here = await arrives(one, 'update', async () => {
      reply = json(await answer(one, 'update', () => one.click('#update-send')));
    }, 'progress');
    assert.deepEqual(reply, { status: 'update sent' });
    assert.match(here.text, /"progress":\s*75/);
    assert.equal(await two.locator('#events-log [data-way=down][data-kind=update]').count(), before);
    await one.fill('#update-to', '');
  });
  await check('update reaches everyone', async () => {
    await arrives(two, 'update', () => arrives(one, 'update', () => one.click('#update-send'), 'progress'), 'progress');
  });
  await check('events forget a client that goes, at once', async () => {
    const before = await clients(one);
    const third = await open('third');
    await connect(third, `third-${run}`);
    assert.equal(await clients(one), before + 1);
    await third.context().close();
    await until('the client to be gone', async () => await clients(one) === before, AT_ONCE);
  });
  // For the screenshot.
  await arrives(one, 'news', () => one.click('#broadcast-send'));
  await arrives(one, 'notification', () => one.click('#notify-send'));
}
