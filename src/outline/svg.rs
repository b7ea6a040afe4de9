//! The outline as a picture: three columns and lines between them. Plain SVG, without scripts; light or dark as its reader prefers.

use std::fmt::Write;

use super::{Authorizer, Outline, Route, Upstream};

/// Where the first box begins, below the headings.
const TOP: usize = 84;
/// The height of a box with one line to it, and the room below it.
const BOX: usize = 40;
const GAP: usize = 10;
/// The room between two lines at one box.
const LANE: usize = 11;
/// The room between two columns, and around all.
const BETWEEN: usize = 130;
const MARGIN: usize = 24;
/// The letters of a box: it grows with its text up to the most, and what is longer is cut.
const LETTERS: std::ops::RangeInclusive<usize> = 16..=52;

const STYLE: &str = "\
text{font:12px ui-monospace,'DejaVu Sans Mono',Menlo,Consolas,monospace;fill:#1f2328}\
.page{fill:#fff}.head{font-weight:bold}.note{font-size:11px;fill:#59636e}\
.box{fill:#f6f8fa;stroke:#8c959f}.line{fill:none;stroke:#0969da;stroke-width:1.5;stroke-opacity:.75}\
.open .box{fill:#fff8c5;stroke:#9a6700}.open .line,.maybe .line{stroke:#9a6700}\
.maybe .box{stroke:#9a6700}.maybe .line{stroke-dasharray:5 4}.word{fill:#7d4e00;font-weight:bold}\
.route:hover .line{stroke-width:3.5;stroke-opacity:1}\
@media(prefers-color-scheme:dark){\
text{fill:#e6edf3}.page{fill:#0d1117}.note{fill:#9198a1}\
.box{fill:#161b22;stroke:#6e7681}.line{stroke:#4493f8}\
.open .box{fill:#2e2507;stroke:#d29922}.open .line,.maybe .line{stroke:#d29922}\
.maybe .box{stroke:#d29922}.word{fill:#e3b341}}";

/// A box of the second or third column.
struct Node {
    label: String,
    note: String,
    class: &'static str,
    /// The routes whose lines go through it.
    lanes: Vec<usize>,
    y: usize,
}

impl Node {
    fn new(label: String, note: String, class: &'static str) -> Self {
        Self { label, note, class, lanes: Vec::new(), y: TOP }
    }

    fn height(&self) -> usize {
        BOX.max((self.lanes.len() + 1) * LANE)
    }

    /// Where the line of `lane` meets it: the same on both sides, so that a line can be followed.
    fn port(&self, lane: usize) -> usize {
        self.y + self.height() * (lane + 1) / (self.lanes.len() + 1)
    }

    /// The middle of its routes.
    fn wanted(&self) -> usize {
        let sum: usize = self.lanes.iter().map(|route| middle(*route)).sum();
        sum / self.lanes.len().max(1)
    }
}

/// One line of the picture: a route, the box of who may, the box of where it goes, and the lanes in both.
struct Line {
    route: usize,
    gate: (usize, usize),
    goal: (usize, usize),
}

/// A column's left edge and its width.
#[derive(Clone, Copy)]
struct Column {
    x: usize,
    width: usize,
}

impl Column {
    fn new(x: usize, texts: impl Iterator<Item = usize>) -> Self {
        let letters = texts.max().unwrap_or(0).clamp(*LETTERS.start(), *LETTERS.end());
        Self { x, width: letters * 15 / 2 + 24 }
    }

    const fn right(self) -> usize {
        self.x + self.width
    }
}

pub(super) fn draw(outline: &Outline) -> String {
    let routes = &outline.routes;
    let (mut gates, mut goals, lines) = nodes(routes);
    let left = Column::new(MARGIN, routes.iter().map(letters));
    let node_letters = |node: &Node| node.label.chars().count().max(node.note.chars().count());
    let centre = Column::new(left.right() + BETWEEN, gates.iter().map(node_letters));
    let right = Column::new(centre.right() + BETWEEN, goals.iter().map(node_letters));
    let bottom = [TOP + routes.len() * (BOX + GAP), place(&mut gates), place(&mut goals)].into_iter().max();
    let (width, height) = (right.right() + MARGIN, bottom.unwrap_or(TOP) + MARGIN);

    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" \
         role=\"img\" aria-labelledby=\"title desc\">\n<title id=\"title\">{}</title>\n<desc id=\"desc\">{}</desc>\n\
         <style>{STYLE}</style>\n<rect class=\"page\" width=\"100%\" height=\"100%\"/>\n",
        escaped(&title(routes)),
        escaped(&routes.iter().map(sentence).collect::<Vec<_>>().join(" ")),
    );
    text(&mut svg, "head", MARGIN, 34, &title(routes));
    for (column, heading) in [(left, "route"), (centre, "who may"), (right, "where it goes")] {
        text(&mut svg, "note", column.x, TOP - 14, heading);
    }
    for (number, route) in routes.iter().enumerate() {
        let _ = writeln!(svg, "<g class=\"route {}\"><title>{}</title>", class(route), escaped(&sentence(route)));
        for line in lines.iter().filter(|line| line.route == number) {
            let (Some(gate), Some(goal)) = (gates.get(line.gate.0), goals.get(line.goal.0)) else { continue };
            let port = gate.port(line.gate.1);
            curve(&mut svg, (left.right(), middle(number)), (centre.x, port));
            curve(&mut svg, (centre.right(), port), (right.x, goal.port(line.goal.1)));
        }
        route_box(&mut svg, left, number, route);
        svg.push_str("</g>\n");
    }
    for (column, nodes) in [(centre, &gates), (right, &goals)] {
        for node in nodes {
            let _ = write!(svg, "<g class=\"{}\">", node.class);
            boxed(&mut svg, column, (node.y, node.height()), &node.label, &node.note);
            svg.push_str("</g>\n");
        }
    }
    svg.push_str("</svg>\n");
    svg
}

/// The boxes of the second and of the third column, and the lines through them.
fn nodes(routes: &[Route]) -> (Vec<Node>, Vec<Node>, Vec<Line>) {
    let (mut gates, mut goals): (Vec<Node>, Vec<Node>) = Default::default();
    let (mut known_gates, mut known_goals): (Vec<Option<&Authorizer>>, Vec<&Upstream>) = Default::default();
    let mut lines = Vec::new();
    for (number, route) in routes.iter().enumerate() {
        let goal = known_goals.iter().position(|known| **known == route.upstream).unwrap_or_else(|| {
            known_goals.push(&route.upstream);
            let (label, note) = route.upstream.told();
            goals.push(Node::new(label, note.unwrap_or_default().to_owned(), "goal"));
            goals.len() - 1
        });
        let ways: Vec<Option<&Authorizer>> =
            if route.authorizers.is_empty() { vec![None] } else { route.authorizers.iter().map(Some).collect() };
        for way in ways {
            let gate = known_gates.iter().position(|known| *known == way).unwrap_or_else(|| {
                known_gates.push(way);
                gates.push(match way {
                    None => Node::new("open".to_owned(), "anybody, without a token".to_owned(), "open"),
                    Some(authorizer) => Node::new(authorizer.name.clone(), authorizer.kind.clone(), "gate"),
                });
                gates.len() - 1
            });
            let lane = |nodes: &mut Vec<Node>, node: usize| {
                let lanes = nodes.get_mut(node).map(|node| &mut node.lanes);
                lanes.map_or(0, |lanes| {
                    lanes.push(number);
                    lanes.len() - 1
                })
            };
            let (gate, goal) = ((gate, lane(&mut gates, gate)), (goal, lane(&mut goals, goal)));
            lines.push(Line { route: number, gate, goal });
        }
    }
    (gates, goals, lines)
}

/// Puts each box beside the middle of its routes, and none onto another; returns where the lowest ends.
fn place(nodes: &mut [Node]) -> usize {
    let mut order: Vec<&mut Node> = nodes.iter_mut().collect();
    order.sort_by_key(|node| node.wanted());
    let mut free = TOP;
    for node in order {
        node.y = free.max(node.wanted().saturating_sub(node.height() / 2));
        free = node.y + node.height() + GAP;
    }
    free
}

fn route_box(svg: &mut String, column: Column, number: usize, route: &Route) {
    let y = TOP + number * (BOX + GAP);
    boxed(svg, column, (y, BOX), &name(route), &note(route));
    if let Some(word) = marked(route) {
        let _ = write!(
            svg,
            "<text class=\"word\" text-anchor=\"end\" x=\"{}\" y=\"{}\">{word}</text>",
            column.right() - 10,
            y + 17
        );
    }
}

/// A box with one or two lines of text in its middle.
fn boxed(svg: &mut String, column: Column, (y, height): (usize, usize), label: &str, note: &str) {
    let Column { x, width } = column;
    let _ = write!(svg, "<rect class=\"box\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"6\"/>");
    let middle = y + height / 2;
    text(svg, "label", x + 12, if note.is_empty() { middle + 4 } else { middle - 3 }, label);
    if !note.is_empty() {
        text(svg, "note", x + 12, middle + 13, note);
    }
}

fn text(svg: &mut String, class: &str, x: usize, y: usize, content: &str) {
    let cut: String = if content.chars().count() > *LETTERS.end() && class != "head" {
        content.chars().take(*LETTERS.end() - 1).chain(['…']).collect()
    } else {
        content.to_owned()
    };
    let _ = write!(svg, "<text class=\"{class}\" x=\"{x}\" y=\"{y}\">{}</text>", escaped(&cut));
}

fn curve(svg: &mut String, (x, y): (usize, usize), (to_x, to_y): (usize, usize)) {
    let bend = x.midpoint(to_x);
    let _ = writeln!(svg, "<path class=\"line\" d=\"M{x} {y}C{bend} {y} {bend} {to_y} {to_x} {to_y}\"/>");
}

/// The height at which a route's lines begin.
const fn middle(route: usize) -> usize {
    TOP + route * (BOX + GAP) + BOX / 2
}

fn letters(route: &Route) -> usize {
    let word = marked(route).map_or(0, |word| word.len() + 2);
    (name(route).chars().count() + word).max(note(route).chars().count())
}

fn name(route: &Route) -> String {
    format!("{} {}", route.methods.join(","), route.path)
}

fn note(route: &Route) -> String {
    route.demands().join(" · ")
}

/// The word on a route that can be had without a token.
fn marked(route: &Route) -> Option<&'static str> {
    if route.needs_token { None } else { Some(route.mode.unwrap_or("open")) }
}

fn class(route: &Route) -> &'static str {
    match (route.needs_token, route.mode) {
        (true, _) => "closed",
        (false, None) => "open",
        (false, Some(_)) => "maybe",
    }
}

fn title(routes: &[Route]) -> String {
    let open = routes.iter().filter(|route| !route.needs_token).count();
    let of = if routes.len() == 1 { "1 route".to_owned() } else { format!("{} routes", routes.len()) };
    format!("{of}, {open} without a token")
}

/// A route for those who listen.
fn sentence(route: &Route) -> String {
    let names: Vec<&str> = route.authorizers.iter().map(|authorizer| authorizer.name.as_str()).collect();
    let who = match route.mode {
        None => "open".to_owned(),
        Some(mode) => format!("{mode} by {}", names.join(" or ")),
    };
    let demands: String = route.demands().iter().map(|demand| format!(", {demand}")).collect();
    let (label, note) = route.upstream.told();
    let behind = note.map_or_else(String::new, |note| format!(" ({note})"));
    format!("{}: {who}{demands}; to {label}{behind}.", name(route))
}

/// Text as XML 1.0 has it: markup escaped, and characters that it does not know replaced.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            _ if letter.is_control() => out.push('\u{fffd}'),
            _ => out.push(letter),
        }
    }
    out
}
