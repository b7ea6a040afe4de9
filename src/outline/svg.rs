//! The outline as a picture: three columns and lines between them. Plain SVG, without scripts; light or dark as its reader prefers.

mod words;

use std::fmt::Write;

use self::words::{class, cut, escaped, marked, note, pattern, sentence, title};
use super::{Authorizer, Outline, Route, Upstream};

/// Where the first box begins, below the headings.
const TOP: usize = 84;
/// The height of a box with two lines of text, and the room below it.
const BOX: usize = 40;
const GAP: usize = 10;
/// More routes than this get one line of text each.
const FEW: usize = 24;
/// The least room between two lines at one box.
const LANE: usize = 11;
/// How far apart the name of a tall box is said again, so that it is in sight where the lines are.
const AGAIN: usize = 480;
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

/// How high things are.
#[derive(Clone, Copy)]
struct Scale {
    /// A route's box, and from one to the next.
    route: usize,
    step: usize,
    /// Between two lines at one box.
    lane: usize,
}

impl Scale {
    /// Many routes make boxes of authorizers and upstreams as tall as the column of routes, so that lines run flat.
    fn new(routes: usize, lines: usize) -> Self {
        let (route, step) = if routes > FEW { (BOX / 2 + 2, BOX / 2 + 6) } else { (BOX, BOX + GAP) };
        Self {
            route,
            step,
            lane: (routes * step * 9 / 10).checked_div(lines).unwrap_or(LANE).clamp(LANE, step / 2 * 2),
        }
    }

    const fn has_notes(self) -> bool {
        self.route == BOX
    }

    /// The height at which a route's lines begin.
    const fn middle(self, route: usize) -> usize {
        TOP + route * self.step + self.route / 2
    }
}

/// A box of the second or third column.
struct Node {
    label: String,
    note: String,
    class: &'static str,
    /// The routes whose lines go through it.
    lanes: Vec<usize>,
    y: usize,
    height: usize,
}

impl Node {
    fn new(label: String, note: String, class: &'static str) -> Self {
        Self { label, note, class, lanes: Vec::new(), y: TOP, height: BOX }
    }

    /// Where the line of `lane` meets it: the same on both sides, so that a line can be followed.
    fn port(&self, lane: usize) -> usize {
        self.y + self.height * (lane + 1) / (self.lanes.len() + 1)
    }

    /// The middle of its routes.
    fn wanted(&self, scale: Scale) -> usize {
        let sum: usize = self.lanes.iter().map(|route| scale.middle(*route)).sum();
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
    let scale = Scale::new(routes.len(), lines.len());
    let left = Column::new(MARGIN, routes.iter().map(|route| letters(scale, route)));
    let node_letters = |node: &Node| node.label.chars().count().max(node.note.chars().count());
    let centre = Column::new(left.right() + BETWEEN, gates.iter().map(node_letters));
    let right = Column::new(centre.right() + BETWEEN, goals.iter().map(node_letters));
    let bottom = TOP + routes.len() * scale.step;
    let lowest = place(scale, bottom, &mut gates).max(place(scale, bottom, &mut goals));
    let (width, height) = (right.right() + MARGIN, lowest + MARGIN);

    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" \
         role=\"img\" aria-labelledby=\"title desc\">\n<title id=\"title\">{}</title>\n<desc id=\"desc\">{}</desc>\n\
         <style>{STYLE}</style>\n<rect class=\"page\" width=\"100%\" height=\"100%\"/>\n",
        escaped(&title(routes)),
        escaped(&routes.iter().map(sentence).collect::<Vec<_>>().join(" ")),
    );
    text(&mut svg, "head", (MARGIN, 34), &title(routes));
    for (column, heading) in [(left, "route"), (centre, "who may"), (right, "where it goes")] {
        text(&mut svg, "note", (column.x, TOP - 14), heading);
    }
    for (number, route) in routes.iter().enumerate() {
        let _ = writeln!(svg, "<g class=\"route {}\"><title>{}</title>", class(route), escaped(&sentence(route)));
        for line in lines.iter().filter(|line| line.route == number) {
            let (Some(gate), Some(goal)) = (gates.get(line.gate.0), goals.get(line.goal.0)) else { continue };
            let port = gate.port(line.gate.1);
            curve(&mut svg, (left.right(), scale.middle(number)), (centre.x, port));
            curve(&mut svg, (centre.right(), port), (right.x, goal.port(line.goal.1)));
        }
        route_box(&mut svg, left, (scale, number), route);
        svg.push_str("</g>\n");
    }
    for (column, nodes) in [(centre, &gates), (right, &goals)] {
        for node in nodes {
            let _ = write!(svg, "<g class=\"{}\">", node.class);
            let (label, note) = (cut(&node.label, *LETTERS.end()), cut(&node.note, *LETTERS.end()));
            boxed(&mut svg, column, (node.y, node.height), &label, &note);
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
                nodes.get_mut(node).map_or(0, |node| {
                    node.lanes.push(number);
                    node.lanes.len() - 1
                })
            };
            let (gate, goal) = ((gate, lane(&mut gates, gate)), (goal, lane(&mut goals, goal)));
            lines.push(Line { route: number, gate, goal });
        }
    }
    (gates, goals, lines)
}

/// Puts each box beside the middle of its routes, none onto another, and none below `bottom` where there is room above; returns where the
/// lowest ends.
fn place(scale: Scale, bottom: usize, nodes: &mut [Node]) -> usize {
    let mut order: Vec<&mut Node> = nodes.iter_mut().collect();
    order.sort_by_key(|node| node.wanted(scale));
    // Few routes leave room enough between lines that are close.
    let lane = if scale.has_notes() { LANE } else { scale.lane };
    let mut free = TOP;
    for node in &mut order {
        node.height = BOX.max((node.lanes.len() + 1) * lane);
        node.y = free.max(node.wanted(scale).saturating_sub(node.height / 2));
        free = node.y + node.height + GAP;
    }
    let all: usize = order.iter().map(|node| node.height + GAP).sum();
    let lowest = bottom.max(TOP + all);
    let mut end = lowest;
    for node in order.iter_mut().rev() {
        node.y = node.y.min(end.saturating_sub(node.height + GAP));
        end = node.y;
    }
    lowest
}

fn route_box(svg: &mut String, column: Column, (scale, number): (Scale, usize), route: &Route) {
    let y = TOP + number * scale.step;
    let line = name(scale, route);
    let below = if scale.has_notes() { note(route) } else { String::new() };
    // The word keeps its room, whatever is cut for it.
    let room = LETTERS.end() - marked(route).map_or(0, |word| word.len() + 2);
    boxed(svg, column, (y, scale.route), &cut(&line, room), &cut(&below, room));
    if let Some(word) = marked(route) {
        let (x, y) = (column.right() - 10, scale.middle(number) + 4);
        let _ = write!(svg, "<text class=\"word\" text-anchor=\"end\" x=\"{x}\" y=\"{y}\">{word}</text>");
    }
}

/// A box with one or two lines of text in its middle; in a tall one, several times.
fn boxed(svg: &mut String, column: Column, (y, height): (usize, usize), label: &str, note: &str) {
    let Column { x, width } = column;
    let _ = write!(svg, "<rect class=\"box\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"6\"/>");
    let times = height / AGAIN + 1;
    for time in 0..times {
        let middle = y + height * (2 * time + 1) / (2 * times);
        text(svg, "label", (x + 12, if note.is_empty() { middle + 4 } else { middle - 3 }), label);
        if !note.is_empty() {
            text(svg, "note", (x + 12, middle + 13), note);
        }
    }
}

fn text(svg: &mut String, class: &str, (x, y): (usize, usize), content: &str) {
    let _ = write!(svg, "<text class=\"{class}\" x=\"{x}\" y=\"{y}\">{}</text>", escaped(content));
}

fn curve(svg: &mut String, (x, y): (usize, usize), (to_x, to_y): (usize, usize)) {
    let bend = x.midpoint(to_x);
    let _ = writeln!(svg, "<path class=\"line\" d=\"M{x} {y}C{bend} {y} {bend} {to_y} {to_x} {to_y}\"/>");
}

fn letters(scale: Scale, route: &Route) -> usize {
    let word = marked(route).map_or(0, |word| word.len() + 2);
    let note = if scale.has_notes() { note(route).chars().count() } else { 0 };
    name(scale, route).chars().count().max(note) + word
}

/// What a route's box is called: where there is no second line, with what the route demands.
fn name(scale: Scale, route: &Route) -> String {
    let note = note(route);
    if scale.has_notes() || note.is_empty() { pattern(route) } else { format!("{} · {note}", pattern(route)) }
}
