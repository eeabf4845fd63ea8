//! Layouts as 3.8 and later write them, in JSON (pure). Every version still reads the older form,
//! so that is what is kept: see [`super::Layout`].

use super::{Cell, Content, LayoutError};
use serde::Deserialize;

/// `{"V":2,"L":CELL}`.
#[derive(Deserialize)]
struct Document {
    #[serde(rename = "V")]
    version: u32,
    #[serde(rename = "L")]
    root: Node,
}

/// A cell, with what tmux says besides left out: which pane is active, last, and at which index.
#[derive(Deserialize)]
struct Node {
    /// `p` a pane, `h` cells side by side, `v` cells one above the other.
    t: String,
    w: u32,
    h: u32,
    x: u32,
    y: u32,
    #[serde(default)]
    c: Vec<Node>,
    /// The pane's id, as `%3`.
    #[serde(rename = "I")]
    id: Option<String>,
    /// The place in the stack of floating panes; only they have one.
    z: Option<u32>,
}

/// Parses a layout without looking at sizes and sums. `serde_json` bounds how deep it nests.
pub(super) fn parse(text: &str) -> Result<Cell, LayoutError> {
    let document: Document =
        serde_json::from_str(text).map_err(|_| LayoutError("not in the form of a layout"))?;
    if document.version != 2 {
        return Err(LayoutError("in a form that is not known here"));
    }
    cell(document.root)
}

fn cell(node: Node) -> Result<Cell, LayoutError> {
    if node.z.is_some() {
        return Err(LayoutError("it has floating panes"));
    }
    let content = match (&*node.t, node.c.is_empty()) {
        ("p", true) => Content::Leaf(node.id.as_deref().map(number).transpose()?),
        ("h", false) => Content::LeftRight(cells(node.c)?),
        ("v", false) => Content::TopBottom(cells(node.c)?),
        _ => return Err(LayoutError("not in the form of a layout")),
    };
    Ok(Cell { width: node.w, height: node.h, x: node.x, y: node.y, content })
}

fn cells(nodes: Vec<Node>) -> Result<Vec<Cell>, LayoutError> {
    nodes.into_iter().map(cell).collect()
}

fn number(id: &str) -> Result<u32, LayoutError> {
    let number = id.strip_prefix('%').and_then(|number| number.parse().ok());
    number.ok_or(LayoutError("a pane's id is not one"))
}
