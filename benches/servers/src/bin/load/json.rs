//! JSON texts that differ from each other.

/// Numbers that look random and are the same in each run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % most
    }

    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len() as u64) as usize]
    }

    fn sentence(&mut self, words: u64) -> String {
        let words: Vec<_> = (0..words).map(|_| self.one(&WORDS)).collect();
        words.join(" ")
    }

    fn record(&mut self, is_short: bool) -> String {
        let (id, at) = (self.below(1_000_000), 1_720_000_000 + self.below(1_000_000));
        let (name, units, cents) = (self.one(&NAMES), self.below(5000), self.below(100));
        if is_short {
            return format!(
                r#"{{"id":{id},"at":{at},"from":"{name}","price":{units}.{cents:02}}}"#
            );
        }
        match self.below(3) {
            0 => {
                let state = self.one(&STATES);
                format!(
                    r#"{{"type":"order","id":{id},"customer":"{name}","state":"{state}","total":{units}.{cents:02},"at":{at}}}"#
                )
            }
            1 => {
                let words = 4 + self.below(10);
                let text = self.sentence(words);
                format!(r#"{{"type":"message","id":{id},"from":"{name}","text":"{text}"}}"#)
            }
            _ => {
                let (lat, lon) = (self.below(9_000_000), self.below(18_000_000));
                let (lat, lon) = (lat as f64 / 1e5, lon as f64 / 1e5);
                format!(r#"{{"type":"position","id":{id},"lat":{lat:.5},"lon":{lon:.5}}}"#)
            }
        }
    }
}

const NAMES: [&str; 12] = [
    "Ada", "Bruno", "Chloe", "Dmitri", "Elif", "Farid", "Greta", "Hiro", "Ines", "Jonas", "Kavya",
    "Liam",
];
const WORDS: [&str; 24] = [
    "the",
    "order",
    "was",
    "shipped",
    "to",
    "our",
    "northern",
    "warehouse",
    "and",
    "will",
    "arrive",
    "before",
    "friday",
    "please",
    "confirm",
    "delivery",
    "address",
    "with",
    "customer",
    "support",
    "when",
    "invoice",
    "number",
    "changes",
];
const STATES: [&str; 4] = ["pending", "paid", "shipped", "returned"];

/// A text of exactly `size` bytes, 128 at least.
pub fn json(number: u64, size: usize) -> String {
    let mut numbers = Numbers(number);
    let mut text = format!(r#"{{"seq":{number},"data":["#);
    loop {
        let record = numbers.record(size < 512);
        if text.len() + record.len() + 16 > size {
            break;
        }
        text += &record;
        text.push(',');
    }
    text += r#"{"note":""#;
    let room = size - text.len() - 4;
    let mut note = numbers.sentence(room as u64 / 3 + 2);
    note.truncate(room);
    text + &note + r#""}]}"#
}
