//! Window layouts as tmux writes them: `CSUM,80x24,0,0{40x24,0,0,0,39x24,41,0,1}`, and since 3.8
//! in JSON (pure).
//!
//! A malformed layout kills whole servers (3.3a: anything whose checksum does not scan; 3.7c: a
//! right checksum over `80x24,0,0{`), and 20000x20000 is accepted. So a layout is parsed in full,
//! with its checksum, its limits and its sums, before tmux may see it.

mod json;

/// Maximum width and height of a window, in cells: tmux's own limit for a window (`WINDOW_MAXIMUM`).
const MAX_SIZE: u32 = 10_000;
/// Layouts nest no deeper in practice; a bound for hostile input.
const MAX_DEPTH: usize = 64;

/// A valid window layout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    root: Cell,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Cell {
    width: u32,
    height: u32,
    x: u32,
    y: u32,
    content: Content,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Content {
    /// A pane; the number after the last comma, where there is one.
    Leaf(Option<u32>),
    /// Cells side by side, `{}`.
    LeftRight(Vec<Cell>),
    /// Cells one above the other, `[]`.
    TopBottom(Vec<Cell>),
}

/// Why a layout is not valid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("window layout: {0}")]
pub struct LayoutError(&'static str);

impl Layout {
    /// Parses a layout completely, in either form. Floating panes (3.7's `<...>` at the end) are
    /// refused: tmux itself cannot read them back.
    pub fn parse(text: &str) -> Result<Self, LayoutError> {
        let root = if text.starts_with('{') { json::parse(text)? } else { Self::with_sum(text)? };
        root.check()?;
        if (root.x, root.y) != (0, 0) {
            return Err(LayoutError("does not start at 0,0"));
        }
        Ok(Self { root })
    }

    /// Parses the older form.
    fn with_sum(text: &str) -> Result<Cell, LayoutError> {
        let (sum, body) = text.split_once(',').ok_or(LayoutError("no checksum"))?;
        let hex = sum.len() == 4 && sum.bytes().all(|byte| byte.is_ascii_hexdigit());
        let sum = u16::from_str_radix(sum, 16).ok().filter(|_| hex);
        if sum.ok_or(LayoutError("bad checksum"))? != checksum(body) {
            return Err(LayoutError("wrong checksum"));
        }
        let mut parser = Parser { rest: body.as_bytes() };
        let root = parser.cell(0)?;
        if !parser.rest.is_empty() {
            return Err(LayoutError("something follows the last cell"));
        }
        Ok(root)
    }

    /// Width and height of the window, in cells.
    pub fn size(&self) -> (u32, u32) {
        (self.root.width, self.root.height)
    }

    /// The numbers of the leaves, in the order in which tmux hands panes to them.
    pub fn leaves(&self) -> Vec<Option<u32>> {
        let mut leaves = Vec::new();
        self.root.leaves(&mut leaves);
        leaves
    }

    /// The same layout with each leaf's number replaced.
    #[must_use]
    pub fn renumbered(mut self, number: &impl Fn(Option<u32>) -> Option<u32>) -> Self {
        self.root.renumber(number);
        self
    }
}

/// The form that tmux writes and reads, checksum first.
impl std::fmt::Display for Layout {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut body = String::new();
        self.root.write(&mut body);
        write!(f, "{:04x},{body}", checksum(&body))
    }
}

/// tmux's 16-bit rotate-and-add over everything after the first comma (`layout_checksum`).
fn checksum(body: &str) -> u16 {
    body.bytes().fold(0_u16, |sum, byte| sum.rotate_right(1).wrapping_add(u16::from(byte)))
}

impl Cell {
    fn leaves(&self, into: &mut Vec<Option<u32>>) {
        match &self.content {
            Content::Leaf(number) => into.push(*number),
            Content::LeftRight(cells) | Content::TopBottom(cells) => {
                for cell in cells {
                    cell.leaves(into);
                }
            }
        }
    }

    fn renumber(&mut self, number: &impl Fn(Option<u32>) -> Option<u32>) {
        match &mut self.content {
            Content::Leaf(leaf) => *leaf = number(*leaf),
            Content::LeftRight(cells) | Content::TopBottom(cells) => {
                for cell in cells {
                    cell.renumber(number);
                }
            }
        }
    }

    fn write(&self, body: &mut String) {
        use std::fmt::Write;
        let Self { width, height, x, y, content } = self;
        let _ = write!(body, "{width}x{height},{x},{y}"); // writing to a String cannot fail
        let (open, cells, close) = match content {
            Content::Leaf(Some(number)) => {
                let _ = write!(body, ",{number}");
                return;
            }
            Content::Leaf(None) => return,
            Content::LeftRight(cells) => ('{', cells, '}'),
            Content::TopBottom(cells) => ('[', cells, ']'),
        };
        body.push(open);
        for (at, cell) in cells.iter().enumerate() {
            if at > 0 {
                body.push(',');
            }
            cell.write(body);
        }
        body.push(close);
    }

    /// Sizes are within the limits, and children fill their parent exactly, with one line between
    /// two of them.
    fn check(&self) -> Result<(), LayoutError> {
        let within = 1..=MAX_SIZE;
        if !within.contains(&self.width) || !within.contains(&self.height) {
            return Err(LayoutError("a cell is empty or larger than 10000"));
        }
        let (cells, side_by_side) = match &self.content {
            Content::Leaf(_) => return Ok(()),
            Content::LeftRight(cells) => (cells, true),
            Content::TopBottom(cells) => (cells, false),
        };
        let along = |cell: &Self| if side_by_side { cell.width } else { cell.height };
        let across = |cell: &Self| if side_by_side { cell.height } else { cell.width };
        let borders = u32::try_from(cells.len()).unwrap_or(u32::MAX).saturating_sub(1);
        let total = cells.iter().map(along).fold(borders, u32::saturating_add);
        if cells.len() < 2 {
            return Err(LayoutError("a split of fewer than two cells"));
        }
        if total != along(self) || cells.iter().any(|cell| across(cell) != across(self)) {
            return Err(LayoutError("cells do not fill their parent"));
        }
        cells.iter().try_for_each(Self::check)
    }
}

struct Parser<'a> {
    rest: &'a [u8],
}

impl Parser<'_> {
    fn cell(&mut self, depth: usize) -> Result<Cell, LayoutError> {
        if depth > MAX_DEPTH {
            return Err(LayoutError("nested too deeply"));
        }
        let width = self.number()?;
        self.expect(b'x')?;
        let height = self.number()?;
        self.expect(b',')?;
        let x = self.number()?;
        self.expect(b',')?;
        let y = self.number()?;
        let content = match self.rest.first() {
            Some(b'{') => Content::LeftRight(self.cells(b'}', depth)?),
            Some(b'[') => Content::TopBottom(self.cells(b']', depth)?),
            _ => Content::Leaf(self.leaf_number()?),
        };
        Ok(Cell { width, height, x, y, content })
    }

    fn cells(&mut self, close: u8, depth: usize) -> Result<Vec<Cell>, LayoutError> {
        self.rest = &self.rest[1..];
        let mut cells = vec![self.cell(depth + 1)?];
        while self.rest.first() == Some(&b',') {
            self.rest = &self.rest[1..];
            cells.push(self.cell(depth + 1)?);
        }
        self.expect(close)?;
        Ok(cells)
    }

    /// `,N` belongs to the leaf unless it begins the next cell (`,NxM`), as tmux reads it.
    fn leaf_number(&mut self) -> Result<Option<u32>, LayoutError> {
        let Some((b',', after)) = self.rest.split_first() else { return Ok(None) };
        let digits = after.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if digits == 0 || after.get(digits) == Some(&b'x') {
            return Ok(None);
        }
        self.rest = after;
        self.number().map(Some)
    }

    fn number(&mut self) -> Result<u32, LayoutError> {
        let digits = self.rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (number, rest) = self.rest.split_at(digits);
        self.rest = rest;
        let number = std::str::from_utf8(number).ok().and_then(|number| number.parse().ok());
        number.ok_or(LayoutError("a number is missing or too large"))
    }

    fn expect(&mut self, byte: u8) -> Result<(), LayoutError> {
        match self.rest.split_first() {
            Some((&first, rest)) if first == byte => {
                self.rest = rest;
                Ok(())
            }
            _ => Err(LayoutError("not in the form of a layout")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn with_sum(body: &str) -> String {
        format!("{:04x},{body}", checksum(body))
    }

    #[test]
    fn layouts_that_tmux_wrote_parse_and_print_the_same() {
        for text in [
            "b25d,80x24,0,0,0",
            "8d51,80x24,0,0[80x12,0,0,0,80x11,0,13{40x11,0,13,1,39x11,41,13,2}]",
        ] {
            let body = text.split_once(',').unwrap().1;
            let layout = Layout::parse(&with_sum(body)).unwrap();
            assert_eq!(layout.to_string(), with_sum(body));
        }
        assert_eq!(Layout::parse("b25d,80x24,0,0,0").unwrap().to_string(), "b25d,80x24,0,0,0");
    }

    #[test]
    fn what_kills_a_server_is_refused() {
        for text in ["garbage", "", "zzzz,80x24", "#(x)", "b25e,80x24,0,0,0", "+123,80x24,0,0,0"] {
            assert!(Layout::parse(text).is_err(), "{text}");
        }
        for body in [
            "{",
            "80x24,0,0{",
            "80x24,0,0{}",
            "80x24,0,0{40x24,0,0,1,",
            "{{{{",
            "20000x20000,0,0,0",
            "0x0,0,0,0",
            "80x24,0,0{40x24,0,0,1}",
            "80x24,0,0{40x24,0,0,1,40x24,41,0,2}",
            "80x24,0,0{40x24,0,0,1,39x23,41,0,2}",
            "80x24,0,0[80x24,0,0,0,40x6,4,2,1]<40x6,4,2,1>",
            "80x24,0,0,0 ",
            "80x24,5,0,0",
            "99999999999x24,0,0,0",
        ] {
            assert!(Layout::parse(&with_sum(body)).is_err(), "{body}");
        }
        let deep = "1x1,0,0{".repeat(100_000);
        assert!(Layout::parse(&with_sum(&deep)).is_err());
    }

    /// What 3.8 printed for the window of which 3.5a prints [`OLDER`].
    const JSON: &str = r#"{"V":2,"L":{"t":"h","w":80,"h":24,"x":0,"y":0,"c":[{"t":"p","w":40,"h":24,"x":0,"y":0,"l":1,"i":0,"I":"%0"},{"t":"v","w":39,"h":24,"x":41,"y":0,"c":[{"t":"p","w":39,"h":12,"x":41,"y":0,"l":0,"i":1,"I":"%1"},{"t":"p","w":39,"h":11,"x":41,"y":13,"a":true,"i":2,"I":"%2"}]}]}}"#;
    const OLDER: &str = "80x24,0,0{40x24,0,0,0,39x24,41,0[39x12,41,0,1,39x11,41,13,2]}";

    #[test]
    fn the_json_of_newer_versions_gives_the_form_that_every_version_reads() {
        assert_eq!(Layout::parse(JSON).unwrap().to_string(), with_sum(OLDER));
        let one = r#"{"V":2,"L":{"t":"p","w":80,"h":24,"x":0,"y":0,"a":true,"i":0,"I":"%0"}}"#;
        assert_eq!(Layout::parse(one).unwrap().to_string(), "b25d,80x24,0,0,0");
    }

    #[test]
    fn json_that_is_no_layout_is_refused() {
        for (from, to) in [
            ("\"V\":2", "\"V\":3"),
            ("\"w\":39", "\"w\":38"),
            ("\"w\":80", "\"w\":99999999999"),
            ("\"h\":24", "\"h\":-24"),
            ("\"t\":\"v\"", "\"t\":\"p\""),
            ("\"t\":\"p\"", "\"t\":\"h\""),
            ("\"I\":\"%1\"", "\"I\":\"1\""),
            ("\"i\":2,", "\"i\":2,\"z\":0,"),
            ("\"x\":0,\"y\":0,\"c\"", "\"x\":5,\"y\":0,\"c\""),
            ("]}]}}", "]}]}"),
        ] {
            let text = JSON.replacen(from, to, 1);
            assert_ne!(text, JSON, "{from}");
            assert!(Layout::parse(&text).is_err(), "{text}");
        }
        let node = r#"{"t":"h","w":9,"h":9,"x":0,"y":0,"c":["#;
        assert!(Layout::parse(&format!("{{\"V\":2,\"L\":{}", node.repeat(100_000))).is_err());
    }

    #[test]
    fn leaves_come_in_order_and_can_be_renumbered() {
        let text = with_sum("80x24,0,0{40x24,0,0,7,39x24,41,0[39x12,41,0,3,39x11,41,13]}");
        let layout = Layout::parse(&text).unwrap();
        assert_eq!(layout.leaves(), [Some(7), Some(3), None]);
        let other = layout.renumbered(&|leaf| leaf.map(|leaf| leaf + 1));
        assert_eq!(other.leaves(), [Some(8), Some(4), None]);
        assert_eq!(Layout::parse(&other.to_string()).unwrap(), other);
    }

    proptest! {
        #[test]
        fn any_text_is_parsed_or_refused_but_never_panics(body in "[0-9x,{}\\[\\]<>]{0,40}") {
            let _ = Layout::parse(&with_sum(&body));
            let _ = Layout::parse(&body);
        }

        #[test]
        fn what_parses_prints_as_it_was(widths in proptest::collection::vec(1_u32..60, 2..6)) {
            let total: u32 = widths.iter().sum::<u32>() + u32::try_from(widths.len()).unwrap() - 1;
            let mut x = 0;
            let cells: Vec<String> = widths.iter().enumerate().map(|(n, width)| {
                let cell = format!("{width}x9,{x},0,{n}");
                x += width + 1;
                cell
            }).collect();
            let text = with_sum(&format!("{total}x9,0,0{{{}}}", cells.join(",")));
            prop_assert_eq!(Layout::parse(&text).unwrap().to_string(), text);
        }
    }
}
