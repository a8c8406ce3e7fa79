//! What both servers answer: JSON of about 10 KB, and events, each of them other than the
//! others.

/// How many there are of each.
pub const TEXTS: usize = 1024;

/// Numbers that look random and are always the same.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % below
    }

    fn word(&mut self) -> &'static str {
        const WORDS: [&str; 24] = [
            "amber", "basin", "copper", "delta", "ember", "fable", "garnet", "harbour", "island", "juniper",
            "kettle", "lantern", "meadow", "nectar", "orchard", "pepper", "quarry", "river", "saddle", "timber",
            "umber", "velvet", "willow", "yonder",
        ];
        WORDS[self.next(WORDS.len() as u64) as usize]
    }
}

/// A list as an API sends it, of about 10 KB.
pub fn item(number: usize) -> String {
    let mut numbers = Numbers(number as u64 + 1);
    let mut text = String::from("{\"items\":[");
    while text.len() < 10_000 {
        let (id, cents, stock) = (numbers.next(1_000_000), numbers.next(100_000), numbers.next(500));
        let (a, b, c, d) = (numbers.word(), numbers.word(), numbers.word(), numbers.word());
        text.push_str(&format!(
            "{{\"id\":{id},\"name\":\"{a} {b}\",\"price\":{}.{:02},\"stock\":{stock},\"tags\":[\"{c}\",\"{d}\"],\
             \"updated\":\"2026-{:02}-{:02}T{:02}:{:02}:00Z\"}},",
            cents / 100,
            cents % 100,
            1 + numbers.next(12),
            1 + numbers.next(28),
            numbers.next(24),
            numbers.next(60),
        ));
    }
    text.pop();
    text.push_str("]}");
    text
}

/// The data of an event, of about 500 bytes.
pub fn event(number: usize) -> String {
    let mut numbers = Numbers(number as u64 + 1_000_003);
    let mut text = format!("{{\"sequence\":{number},\"changes\":[");
    while text.len() < 480 {
        let (id, cents, a, b) = (numbers.next(1_000_000), numbers.next(100_000), numbers.word(), numbers.word());
        text.push_str(&format!("{{\"id\":{id},\"name\":\"{a} {b}\",\"price\":{}.{:02}}},", cents / 100, cents % 100));
    }
    text.pop();
    text.push_str("]}");
    text
}

/// An event as it stands in a stream.
pub fn block(number: usize) -> String {
    format!("data: {}\n\n", event(number))
}
