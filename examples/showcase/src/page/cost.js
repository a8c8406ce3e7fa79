// The strip: what the same task costs by each protocol, as the server's own clients find it.
const strip = (row, most) => {
  const line = element('li');
  line.dataset.protocol = row.protocol;
  const name = element('b', row.protocol);
  if (row.error) {
    line.dataset.failed = 'yes';
    line.append(name, element('span', row.error, 'fault'));
    return line;
  }
  Object.assign(line.dataset, { up: row.up, down: row.down, microseconds: row.microseconds });
  const bars = element('span', '', 'bars');
  for (const way of ['up', 'down']) {
    const bar = element('i', '', way);
    bar.style.width = `${(100 * row[way] / most).toFixed(1)}%`;
    bars.append(bar);
  }
  const [up, down] = [element('span', `↑ ${row.up} B`, 'number'), element('span', `↓ ${row.down} B`, 'number')];
  line.append(name, element('small', row.format), bars, up, down, element('span', `${row.microseconds} µs`, 'number'));
  return line;
};
async function showCost() {
  setState('cost-state', 'connecting', 'measuring');
  $('cost-run').disabled = true;
  try {
    const response = await fetch('/own/cost', { cache: 'no-store' });
    const told = await response.json();
    if (!response.ok) throw new Error(told.error);
    const most = Math.max(...told.rows.map(row => (row.up ?? 0) + (row.down ?? 0)));
    $('cost-rows').replaceChildren(...told.rows.map(row => strip(row, most)));
    $('cost-note').textContent = `Each did it ${told.times} times: the mean of the bytes, and the median of the time, in which is the relay that counts. Server-Sent Events cannot ask.`;
    $('cost-report').hidden = !told.report;
    setState('cost-state', 'open', 'measured');
  } catch (error) {
    $('cost-note').textContent = error.message;
    setState('cost-state', 'closed', 'failed');
  }
  $('cost-run').disabled = false;
}
$('cost-run').onclick = showCost;
