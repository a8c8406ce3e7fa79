//! Starts everything, publishes, and prints what it took.

use std::thread;
use std::time::{Duration, Instant};

use crate::Result;
use crate::broker::Broker;
use crate::process::{Role, kernel, raise_descriptors};

/// How much is started.
pub(crate) struct Plan {
    servers: usize,
    /// Subscribers of each server.
    each: usize,
    /// Loops of each server.
    threads: usize,
    publications: usize,
    /// Whether Redis is between the servers.
    is_shared: bool,
}

impl Plan {
    /// Reads the command line: pairs of an option and a number.
    pub(crate) fn parse(arguments: &[&str]) -> Result<Self> {
        let mut plan = Self {
            servers: 5,
            each: 19_800,
            threads: 1,
            publications: 20,
            is_shared: true,
        };
        for pair in arguments.chunks(2) {
            let [name, value] = pair else {
                return Err(format!("{} has no value", pair[0]).into());
            };
            match *name {
                "--servers" => plan.servers = value.parse()?,
                "--each" => plan.each = value.parse()?,
                "--threads" => plan.threads = value.parse()?,
                "--redis" => plan.is_shared = matches!(*value, "yes"),
                "--publications" => plan.publications = value.parse()?,
                _ => return Err(format!("{name} is not known").into()),
            }
        }
        Ok(plan)
    }

    pub(crate) fn measure(&self) -> Result<()> {
        let descriptors = raise_descriptors();
        println!("descriptors: {descriptors} for each process");
        if descriptors < self.each as u64 + 100 {
            return Err(format!("{} connections need more: ulimit -Hn", self.each).into());
        }
        let threads = self.threads.to_string();
        let broker = match self.is_shared {
            true => Some(Broker::start()?),
            false => None,
        };
        let redis = match &broker {
            Some(broker) => format!("redis://127.0.0.1:{}", broker.port),
            None => "-".to_owned(),
        };
        let mut servers = Vec::new();
        for _ in 0..self.servers {
            let mut server = Role::start(&["server", &threads, &redis])?;
            let address = server.line()?;
            servers.push((server, format!("ws://{address}/")));
        }
        let mut clients = Vec::new();
        let (objects, buffers) = kernel()?;
        let served: Vec<u64> = memory(servers.iter().map(|it| &it.0))?;
        let begun = Instant::now();
        for (_, url) in &servers {
            clients.push(Role::start(&["client", url, &self.each.to_string()])?);
        }
        for client in &mut clients {
            client.expect("ready")?;
        }
        // What a process takes before its first connection.
        let empty = memory(clients.iter())?
            .into_iter()
            .min()
            .unwrap_or_default();
        for client in &mut clients {
            client.expect("open")?;
        }
        for (server, _) in &mut servers {
            while server.ask("members")?.parse::<usize>()? != self.each {
                thread::sleep(Duration::from_millis(20));
            }
        }
        let all = self.servers * self.each;
        let opened = begun.elapsed().as_secs_f64();
        println!(
            "subscribers: {all} on {} servers, opened in {opened:.1} s",
            self.servers
        );
        self.publish(&mut servers, &mut clients)?;
        let per = |bytes: u64| bytes as f64 / all as f64;
        let grown: u64 = memory(servers.iter().map(|it| &it.0))?
            .iter()
            .zip(&served)
            .map(|(now, before)| now.saturating_sub(*before))
            .sum();
        let held: u64 = memory(clients.iter())?
            .iter()
            .map(|now| now.saturating_sub(empty))
            .sum();
        let (objects_now, buffers_now) = kernel()?;
        println!("memory of a connection, bytes:");
        println!("  server process       {:8.0}", per(grown));
        println!("  client process       {:8.0}", per(held));
        println!(
            "  kernel, both ends    {:8.0} objects, {:.0} buffers",
            per(objects_now.saturating_sub(objects)),
            per(buffers_now.saturating_sub(buffers))
        );
        Ok(())
    }

    /// Publishes again and again, each time once all have the last one.
    fn publish(&self, servers: &mut [(Role, String)], clients: &mut [Role]) -> Result<()> {
        let mut rounds = Vec::new();
        let before = processor(servers.iter().map(|it| &it.0))?;
        for number in 0..self.publications {
            // Where they share their channels one is told, and else each.
            let told = if self.is_shared { 1 } else { servers.len() };
            for (server, _) in &mut servers[..told] {
                server.ask(&format!("publish {number}"))?;
            }
            let mut took: Vec<u64> = Vec::with_capacity(self.servers * self.each);
            for client in &mut *clients {
                let line = client.line()?;
                let mut numbers = line.split(' ').map_while(|it| it.parse::<u64>().ok());
                if numbers.next() != Some(number as u64) {
                    return Err(format!("not {number}: {:.40}", line).into());
                }
                took.extend(numbers);
            }
            took.sort_unstable();
            let at = |part: f64| took[((took.len() - 1) as f64 * part) as usize] as f64 / 1e3;
            rounds.push([at(0.0), at(0.5), at(0.99), at(1.0)]);
        }
        let used = processor(servers.iter().map(|it| &it.0))? - before;
        let median = |at: usize| {
            let mut values: Vec<f64> = rounds.iter().map(|round| round[at]).collect();
            values.sort_by(f64::total_cmp);
            values[values.len() / 2]
        };
        println!(
            "one publication of 128 bytes, milliseconds (medians of {}):",
            rounds.len()
        );
        println!("  to the first         {:8.1}", median(0));
        println!("  to half of them      {:8.1}", median(1));
        println!("  to 99 of a hundred   {:8.1}", median(2));
        println!("  to all               {:8.1}", median(3));
        let deliveries = (self.publications * self.servers * self.each) as f64;
        println!(
            "servers' processor time of a delivery: {:.2} us",
            used * 1e6 / deliveries
        );
        Ok(())
    }
}

fn memory<'r>(roles: impl Iterator<Item = &'r Role>) -> Result<Vec<u64>> {
    roles.map(Role::memory).collect()
}

fn processor<'r>(roles: impl Iterator<Item = &'r Role>) -> Result<f64> {
    roles.map(Role::processor).sum()
}
