//! The kind of operation that a document asks for, found without parsing it.
//!
//! ```text
//!   query A { user { … } }   mutation B { … }   fragment F on User { … }
//!   ^^^^^ ^   skipped        ^^^^^^^^ ^
//! ```

/// The kind of an operation (GraphQL §2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OperationType {
    /// It reads.
    Query,
    /// It listens.
    Subscription,
    /// It changes something.
    Mutation,
}

impl OperationType {
    /// The kind of the operation of this name in a document, or of the only one. `None` if it
    /// cannot be told: the executor finds the fault.
    ///
    /// Names, brackets, strings and comments are told apart; the rest is the executor's.
    /// Takes O(n).
    ///
    /// ```
    /// use barewire::graphql::OperationType;
    ///
    /// let document = "query A { a } mutation B { b }";
    /// assert_eq!(OperationType::of(document, Some("B")), Some(OperationType::Mutation));
    /// assert_eq!(OperationType::of("{ a }", None), Some(OperationType::Query));
    /// assert_eq!(OperationType::of(document, None), None);
    /// ```
    pub fn of(document: &str, operation_name: Option<&str>) -> Option<Self> {
        let mut tokens = Tokens(document);
        let mut found = None;
        while let Some(token) = tokens.next() {
            let (kind, name) = match token {
                Token::Open => {
                    tokens.skip_to_end()?;
                    (Self::Query, None)
                }
                Token::Name("fragment") => {
                    tokens.skip_selections()?;
                    continue;
                }
                Token::Name(keyword) => {
                    let kind = Self::of_keyword(keyword)?;
                    (kind, tokens.skip_selections()?)
                }
                // A description (GraphQL §2.2).
                Token::Text => continue,
                Token::Close | Token::Other => return None,
            };
            match operation_name {
                // Of two with one name it is taken for the one that may do more.
                Some(wanted) if name == Some(wanted) => found = found.max(Some(kind)),
                Some(_) => {}
                None if found.is_some() => return None, // it has to be named
                None => found = Some(kind),
            }
        }
        found
    }

    /// The kind that a definition begins with.
    fn of_keyword(keyword: &str) -> Option<Self> {
        match keyword {
            "query" => Some(Self::Query),
            "mutation" => Some(Self::Mutation),
            "subscription" => Some(Self::Subscription),
            _ => None,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token<'d> {
    Name(&'d str),
    /// `{`, `(` or `[`.
    Open,
    /// `}`, `)` or `]`.
    Close,
    /// A string.
    Text,
    Other,
}

/// What is left of a document.
struct Tokens<'d>(&'d str);

impl<'d> Tokens<'d> {
    /// Skips to the end of the brackets that are open.
    fn skip_to_end(&mut self) -> Option<()> {
        let mut depth = 1_usize;
        while depth > 0 {
            let at = self.0.bytes().position(is_punctuator)?;
            self.take(at);
            match self.take(1) {
                "{" | "(" | "[" => depth = depth.saturating_add(1),
                "\"" => self.skip_string()?,
                "#" => self.skip_comment(),
                _ => depth -= 1,
            }
        }
        Some(())
    }

    /// Skips a comment, up to the end of its line.
    fn skip_comment(&mut self) {
        let end = self.0.find(['\n', '\r']).unwrap_or(self.0.len());
        self.take(end);
    }

    /// Skips a definition from behind its keyword to the end of its selections. Its name.
    fn skip_selections(&mut self) -> Option<Option<&'d str>> {
        let mut name = None;
        for at in 0_usize.. {
            let is_braced = self.0.trim_start_matches(is_ignored).starts_with('{');
            match self.next()? {
                Token::Name(it) if at == 0 => name = Some(it),
                Token::Open => {
                    self.skip_to_end()?;
                    if is_braced {
                        return Some(name);
                    }
                }
                Token::Close => return None,
                Token::Name(_) | Token::Text | Token::Other => {}
            }
        }
        None
    }

    /// The first `at` bytes, which are skipped.
    fn take(&mut self, at: usize) -> &'d str {
        let (taken, rest) = self.0.split_at_checked(at).unwrap_or((self.0, ""));
        self.0 = rest;
        taken
    }

    /// Skips a string from behind its quote; `None` if it does not end.
    fn skip_string(&mut self) -> Option<()> {
        let is_block = self.0.starts_with("\"\"");
        let end = if is_block { "\"\"\"" } else { "\"" };
        if is_block {
            self.take(2);
        }
        loop {
            let at = self.0.find(['"', '\\', '\n'])?;
            self.take(at);
            if self.0.starts_with(end) {
                self.take(end.len());
                return Some(());
            }
            match (is_block, self.0.starts_with('\\')) {
                (true, true) if self.0.starts_with("\\\"\"\"") => drop(self.take(4)),
                (true, _) => drop(self.take(1)),
                (false, true) => {
                    self.take(1);
                    let escaped = self.0.chars().next()?;
                    self.take(escaped.len_utf8());
                }
                (false, false) => return None, // a line ends
            }
        }
    }
}

/// A bracket, or what may hold some that are none.
const fn is_punctuator(it: u8) -> bool {
    matches!(it, b'{' | b'}' | b'(' | b')' | b'[' | b']' | b'"' | b'#')
}

/// White space, commas and the mark of byte order (GraphQL §2.1).
const fn is_ignored(it: char) -> bool {
    matches!(it, ' ' | '\t' | '\n' | '\r' | ',' | '\u{feff}')
}

impl<'d> Iterator for Tokens<'d> {
    type Item = Token<'d>;

    fn next(&mut self) -> Option<Token<'d>> {
        loop {
            self.0 = self.0.trim_start_matches(is_ignored);
            if !self.0.starts_with('#') {
                break;
            }
            self.skip_comment();
        }
        let first = self.0.chars().next()?;
        if first.is_ascii_alphabetic() || first == '_' {
            let is_name = |it: char| it.is_ascii_alphanumeric() || it == '_';
            let end = self.0.find(|it| !is_name(it)).unwrap_or(self.0.len());
            return Some(Token::Name(self.take(end)));
        }
        self.take(first.len_utf8());
        Some(match first {
            '{' | '(' | '[' => Token::Open,
            '}' | ')' | ']' => Token::Close,
            '"' => {
                self.skip_string()?;
                Token::Text
            }
            _ => Token::Other,
        })
    }
}

#[cfg(test)]
mod tests;
