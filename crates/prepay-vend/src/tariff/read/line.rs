//! One line of a version, and the order in which lines are computed.

use rust_decimal::Decimal;
use toml::de::DeValue;

use super::super::{Base, Block, DIRECTIONS, Line, Rule, Value};
use super::Names;
use super::table::{Given, NAME, Table, is_name};
use crate::exact::{Direction, Exact, Rounding};
use crate::quote::LineKind;

pub(super) const LINE: &[&str] = &[
    "name",
    "text",
    "kind",
    "class",
    "price",
    "blocks",
    "pricing",
    "exchange",
    "monthly_cap",
    "monthly",
    "accrues",
    "cap_percent",
    "cap_with",
    "daily",
    "most_days",
    "per_purchase",
    "above",
    "percent",
    "of",
    "of_printed",
    "divide_by",
    "above_units",
    "included",
    "times",
    "round",
    "round_step",
    "on_top",
    "rebate",
    "payee",
];
const BLOCK: &[&str] = &["to", "price", "reprices", "accrues"];
const TIER: &[&str] = &["to", "amount"];
const EXCHANGE: &[&str] = &["rate", "step", "direction"];

/// What a line's amount comes from, and the words that go with each.
const RULES: [(&str, &[&str]); 6] = [
    ("price", &["pricing", "exchange", "monthly_cap"]),
    ("blocks", &["pricing", "exchange"]),
    ("monthly", &["accrues", "cap_percent", "cap_with", "times"]),
    ("daily", &["most_days", "times"]),
    ("per_purchase", &["above", "times"]),
    ("percent", &["of", "of_printed", "divide_by", "above_units", "included"]),
];

/// How the price of a purchase comes from blocks.
#[derive(Clone, Copy, PartialEq)]
enum Pricing {
    Marginal,
    WholePurchase,
    WholeMonth,
}

/// Reads a line. Bases are names until `ordered` knows all lines.
pub(super) fn read_line(table: &Table<'_, '_>, names: &Names, default: Rounding) -> Option<Line> {
    let name = table.required("name").and_then(|given| {
        let name = given.text()?;
        if is_name(&name) { Some(name) } else { given.wrong(&format!("a name: {NAME}")) }
    });
    let kind = table.required("kind").and_then(|given| {
        given.word(&[
            ("energy", LineKind::Energy),
            ("tax", LineKind::Tax),
            ("levy", LineKind::Levy),
            ("charge", LineKind::Charge),
        ])
    });
    let rule = read_rule(table, names);
    let mut classes = table.get("class").map_or_else(Vec::new, |given| classes(&given, names));
    if let (true, Some(rule)) = (classes.is_empty(), &rule) {
        classes = classes_of(rule);
    }
    let direction = table.get("round").and_then(|given| given.word(&DIRECTIONS));
    let step = table.get("round_step").and_then(|given| given.money(names.decimals));
    let truth = |word| table.get(word).and_then(|given| given.truth()).unwrap_or(false);
    let line = Line {
        text: table.get("text").and_then(|given| given.text()).or_else(|| name.clone())?,
        name: name?,
        kind: kind?,
        classes,
        rule: rule?,
        rounding: Rounding {
            step: step.unwrap_or(default.step),
            direction: direction.unwrap_or(default.direction),
        },
        of_printed: truth("of_printed"),
        on_top: truth("on_top"),
        is_rebate: truth("rebate"),
        times: table.get("times").and_then(|given| value(&given, names)),
        payee: table.get("payee").and_then(|given| given.text()),
    };
    let is_per_unit = matches!(line.rule, Rule::PerUnit { .. });
    if line.kind == LineKind::Energy && (!is_per_unit || line.on_top || line.is_rebate) {
        table
            .fault_at("kind", "energy needs a price or blocks, and is neither on top nor a rebate");
    }
    if line.on_top && (is_per_unit || matches!(line.rule, Rule::Monthly { .. })) {
        table
            .fault_at("on_top", "only per_purchase, daily and percent can be on top of the amount");
    }
    if line.is_rebate && line.kind != LineKind::Charge {
        table.fault_at("rebate", "a rebate is a line of kind \"charge\"");
    }
    Some(line)
}

/// The classes that a word names: one, or a list.
fn classes(given: &Given<'_, '_>, names: &Names) -> Vec<usize> {
    let members = if given.is_list() { given.list() } else { vec![*given] };
    members.iter().filter_map(|member| class(member, &member.text()?, names)).collect()
}

fn class(given: &Given<'_, '_>, name: &str, names: &Names) -> Option<usize> {
    let found = names.classes.iter().position(|class| class.name == name);
    found.or_else(|| given.unknown("class", names.classes.iter().map(|class| class.name.as_str())))
}

/// The classes for which a rule has figures, if it has figures by class.
fn classes_of(rule: &Rule) -> Vec<usize> {
    let value = match rule {
        Rule::PerUnit { blocks, .. } => &blocks[0].price,
        Rule::Monthly { tiers, .. } => &tiers[0].1,
        Rule::Daily { amount, .. } | Rule::PerPurchase { amount, .. } => amount,
        Rule::Percent { rate, .. } => rate,
    };
    match value {
        Value::ByClass(values) => values.iter().map(|(class, _)| *class).collect(),
        _ => Vec::new(),
    }
}

/// A figure: a number, the name of a rate, or one of both for each class.
pub(super) fn value(given: &Given<'_, '_>, names: &Names) -> Option<Value> {
    if let Some(entries) = given.entries() {
        let values = entries.into_iter().map(|(name, given)| {
            let class = names.classes.iter().position(|class| class.name == name);
            let Some(class) = class else {
                let known = names.classes.iter().map(|class| class.name.as_str());
                given.fault(format!(
                    "no class is named {name:?}; {}",
                    super::table::meant(name, known)
                ));
                return None;
            };
            Some((class, figure(&given, names)?))
        });
        return values.collect::<Option<Vec<_>>>().map(Value::ByClass);
    }
    figure(given, names)
}

fn figure(given: &Given<'_, '_>, names: &Names) -> Option<Value> {
    match given.value() {
        DeValue::String(name) if is_name(name) => rate(given, names).map(Value::Rate),
        _ => {
            let figure = given.decimal()?;
            if figure < Decimal::ZERO {
                return given.wrong("a figure that is not below zero; a rebate says rebate = true");
            }
            Some(Value::Fixed(Exact::from(figure)))
        }
    }
}

fn rate(given: &Given<'_, '_>, names: &Names) -> Option<usize> {
    let name = given.text()?;
    let found = names.rates.iter().position(|rate| rate.name == name);
    found.or_else(|| given.unknown("rate", names.rates.iter().map(|rate| rate.name.as_str())))
}

fn read_rule(table: &Table<'_, '_>, names: &Names) -> Option<Rule> {
    let rules: Vec<&str> =
        RULES.iter().map(|(word, _)| *word).filter(|word| table.has(word)).collect();
    let &[word] = rules.as_slice() else {
        let all = RULES.map(|(word, _)| word).join(", ");
        let found = if rules.is_empty() { "none".to_owned() } else { rules.join(" and ") };
        table.fault(format!("this line needs exactly one of {all}; found {found}"));
        return None;
    };
    for (other, words) in RULES.iter().filter(|(rule, _)| *rule != word) {
        let belongs =
            RULES.iter().find(|(rule, _)| *rule == word).map_or(&[][..], |(_, words)| words);
        for stray in words.iter().filter(|stray| !belongs.contains(stray) && table.has(stray)) {
            table.fault_at(stray, format!("{stray} goes with {other}, and this line has {word}"));
        }
    }
    let figure = |word| table.get(word).and_then(|given| value(&given, names));
    match word {
        "price" | "blocks" => read_per_unit(table, names),
        "monthly" => {
            let given = table.get("monthly")?;
            let tiers = if given.is_list() {
                read_tiers(&given, names)
            } else {
                vec![(None, value(&given, names)?)]
            };
            Some(Rule::Monthly {
                tiers: if tiers.is_empty() { return None } else { tiers },
                accrues: table.get("accrues").and_then(|given| given.truth()).unwrap_or(false),
                cap_percent: figure("cap_percent"),
                cap_with: Vec::new(),
            })
        }
        "daily" => Some(Rule::Daily {
            amount: figure("daily")?,
            most_days: table.get("most_days").and_then(|given| given.whole(1..=3660)),
        }),
        "per_purchase" => Some(Rule::PerPurchase {
            amount: figure("per_purchase")?,
            above: table.get("above").and_then(|given| given.money(names.decimals)),
        }),
        _ => {
            let divide_by = table.get("divide_by").and_then(|given| {
                let by = given.above_zero()?;
                let fits = by.mantissa() <= 1_000_000_000;
                if fits { Some(by) } else { given.wrong("at most nine digits") }
            });
            table.required("of");
            Some(Rule::Percent {
                rate: figure("percent")?,
                divide_by,
                of: Vec::new(),
                above_units: table
                    .get("above_units")
                    .and_then(|given| given.above_zero())
                    .map(Exact::from),
                included: table.get("included").and_then(|given| given.truth()).unwrap_or(false),
            })
        }
    }
}

fn read_per_unit(table: &Table<'_, '_>, names: &Names) -> Option<Rule> {
    let pricing = table.get("pricing").map_or(Some(Pricing::Marginal), |given| {
        given.word(&[
            ("marginal", Pricing::Marginal),
            ("whole_purchase", Pricing::WholePurchase),
            ("whole_month", Pricing::WholeMonth),
        ])
    });
    let blocks = match table.get("price") {
        Some(given) => {
            vec![Block { to: None, price: value(&given, names)?, reprices: false, accrues: false }]
        }
        None => read_blocks(&table.get("blocks")?, names, pricing? == Pricing::WholeMonth),
    };
    let exchange = table.get("exchange").and_then(|given| {
        let table = given.table("the exchange", EXCHANGE)?;
        let rate = table.required("rate").and_then(|given| rate(&given, names));
        let step = table.get("step").and_then(|given| given.above_zero());
        let direction = table.get("direction").and_then(|given| given.word(&DIRECTIONS));
        let direction = direction.unwrap_or(Direction::HalfUp);
        Some((rate?, step.map(|step| Rounding { step, direction })))
    });
    Some(Rule::PerUnit {
        blocks: if blocks.is_empty() { return None } else { blocks },
        whole_purchase: pricing? == Pricing::WholePurchase,
        exchange,
        monthly_cap: table.get("monthly_cap").and_then(|given| value(&given, names)),
    })
}

/// The end of a block or tier: above the one before, and only the last has none.
fn read_end(table: &Table<'_, '_>, last: &mut Option<Decimal>, is_last: bool) -> Option<Exact> {
    let to = table.get("to").and_then(|given| given.above_zero());
    match to {
        Some(to) => {
            if let Some(before) = last.filter(|&before| to <= before) {
                table.fault_at("to", format!("blocks out of order: {to} is not above {before}"));
            }
            if is_last {
                table.fault_at("to", "the last block has no end: leave out `to`, or add a block");
            }
            *last = Some(to);
        }
        None if !is_last && !table.has("to") => {
            table.fault("only the last block has no end: this one needs `to`");
        }
        None => {}
    }
    to.map(Exact::from)
}

fn read_blocks(given: &Given<'_, '_>, names: &Names, whole_month: bool) -> Vec<Block> {
    let members = given.list();
    let mut last = None;
    let mut blocks = Vec::new();
    for (index, member) in members.iter().enumerate() {
        let Some(table) = member.table("this block", BLOCK) else { continue };
        let to = read_end(&table, &mut last, index + 1 == members.len());
        let price = table.required("price").and_then(|given| {
            if given.entries().is_some() {
                given.wrong("one figure; for classes, write a line for each")
            } else {
                value(&given, names)
            }
        });
        let truth = |word| table.get(word).and_then(|given| given.truth()).unwrap_or(false);
        let (reprices, accrues) = (whole_month || truth("reprices"), truth("accrues"));
        blocks.extend(price.map(|price| Block { to, price, reprices, accrues }));
    }
    if blocks.len() == members.len() { blocks } else { Vec::new() }
}

fn read_tiers(given: &Given<'_, '_>, names: &Names) -> Vec<(Option<Exact>, Value)> {
    let members = given.list();
    let mut last = None;
    let mut tiers = Vec::new();
    for (index, member) in members.iter().enumerate() {
        let Some(table) = member.table("this tier", TIER) else { continue };
        let to = read_end(&table, &mut last, index + 1 == members.len());
        let amount = table.required("amount").and_then(|given| value(&given, names));
        tiers.extend(amount.map(|amount| (to, amount)));
    }
    if tiers.len() == members.len() { tiers } else { Vec::new() }
}

/// Resolves the names of bases, and puts each base before what is charged on it. Names of lines that have faults of their own
/// are among those `written`.
pub(super) fn ordered(
    lines: &mut [Line],
    places: &[Table<'_, '_>],
    names: &Names,
    written: &[&str],
) -> Option<Vec<usize>> {
    check_names(lines, places, names);
    let all: Vec<String> = lines.iter().map(|line| line.name.clone()).collect();
    let indexes =
        |name: &str| -> Vec<usize> { (0..all.len()).filter(|&index| all[index] == name).collect() };
    let by_units: Vec<bool> = lines
        .iter()
        .map(|line| matches!(line.rule, Rule::PerUnit { .. } | Rule::Percent { .. }))
        .collect();
    for (line, place) in lines.iter_mut().zip(places) {
        match &mut line.rule {
            Rule::Percent { of, .. } => {
                for given in place.get("of").map_or_else(Vec::new, |given| given.list()) {
                    let Some(text) = given.text() else { continue };
                    let name = text.strip_prefix('-').unwrap_or(&text);
                    let found = indexes(name);
                    if found.is_empty() && name != "tender" {
                        if !written.contains(&name) {
                            given.unknown::<()>("line", written.iter().copied().chain(["tender"]));
                        }
                        continue;
                    }
                    let lines = (name != "tender").then_some(found);
                    of.push(Base { is_negative: text.starts_with('-'), lines });
                }
            }
            Rule::Monthly { cap_with, .. } => {
                for given in place.get("cap_with").map_or_else(Vec::new, |given| given.list()) {
                    let found = given.text().map_or_else(Vec::new, |name| indexes(&name));
                    if found.is_empty() {
                        given.unknown::<()>("line", written.iter().copied());
                    }
                    if found.iter().any(|&line| by_units[line]) {
                        given.fault("cap_with: a cap counts monthly, daily and per_purchase charges, and this line is none");
                    }
                    cap_with.extend(found);
                }
            }
            _ => {}
        }
    }
    check_bases(lines, places);
    // What is included in a line is taken out of it before anything else is charged on the line.
    let included: Vec<(usize, Vec<usize>)> = (0..lines.len())
        .filter(|&index| matches!(lines[index].rule, Rule::Percent { included: true, .. }))
        .map(|index| (index, needs(&lines[index])))
        .collect();
    let all_needs = |index: usize| {
        let mut all = needs(&lines[index]);
        if !included.iter().any(|(tax, _)| *tax == index) {
            let first =
                included.iter().filter(|(_, bases)| bases.iter().any(|base| all.contains(base)));
            let first: Vec<usize> = first.map(|(tax, _)| *tax).collect();
            all.extend(first);
        }
        all
    };
    let mut order: Vec<usize> = Vec::new();
    while order.len() < lines.len() {
        let is_ready = |index: &usize| {
            !order.contains(index) && all_needs(*index).iter().all(|base| order.contains(base))
        };
        let Some(next) = (0..lines.len()).find(is_ready) else {
            for index in (0..lines.len()).filter(|index| !order.contains(index)) {
                let text = format!(
                    "circular: {:?} is charged on a line that is charged on it",
                    all[index]
                );
                places[index].fault(text);
            }
            return None;
        };
        order.push(next);
    }
    Some(order)
}

/// The lines that must be known before a line.
fn needs(line: &Line) -> Vec<usize> {
    match &line.rule {
        Rule::Percent { of, .. } => {
            of.iter().flat_map(|base| base.lines.clone().unwrap_or_default()).collect()
        }
        Rule::Monthly { cap_with, .. } => cap_with.clone(),
        _ => Vec::new(),
    }
}

/// A name is used once for each class, and every class has one energy line at most; some have one.
fn check_names(lines: &[Line], places: &[Table<'_, '_>], names: &Names) {
    let classes: Vec<Option<usize>> = if names.classes.is_empty() {
        vec![None]
    } else {
        (0..names.classes.len()).map(Some).collect()
    };
    for (index, line) in lines.iter().enumerate() {
        for before in &lines[..index] {
            let both = classes.iter().any(|&class| line.is_for(class) && before.is_for(class));
            if both && before.name == line.name {
                places[index].fault_at("name", format!("two lines are named {:?}", line.name));
            }
            if both && before.kind == LineKind::Energy && line.kind == LineKind::Energy {
                places[index]
                    .fault_at("kind", "there is another energy line for the same customers");
            }
        }
        if line.name == "tender" {
            places[index]
                .fault_at("name", "\"tender\" is the amount of a purchase: choose another name");
        }
    }
    if let (false, Some(place)) =
        (lines.iter().any(|line| line.kind == LineKind::Energy), places.first())
    {
        place.fault("a version needs a line of kind \"energy\"");
    }
}

/// What is inside the amount is not charged on what is on top; `above_units` needs a price per unit.
fn check_bases(lines: &[Line], places: &[Table<'_, '_>]) {
    for (line, place) in lines.iter().zip(places) {
        let Rule::Percent { of, above_units, divide_by, included, .. } = &line.rule else {
            continue;
        };
        if *included {
            let plain =
                divide_by.is_none() && above_units.is_none() && !line.is_rebate && !line.on_top;
            let named = of.iter().all(|base| base.lines.is_some() && !base.is_negative);
            if !plain || !named {
                let text = "what the figures of lines contain is a plain share of named lines";
                place.fault_at("included", text);
            }
        }
        if above_units.is_some() && line.of_printed {
            place.fault_at(
                "of_printed",
                "above_units is a part of a line that is not printed by itself",
            );
        }
        let is_taken_off = |base: &Base| {
            let is_rebate = base
                .lines
                .as_ref()
                .is_some_and(|bases| bases.iter().all(|&base| lines[base].is_rebate));
            base.is_negative != is_rebate
        };
        if !of.is_empty() && of.iter().all(is_taken_off) {
            let text = format!(
                "{:?} is a share of what is taken off alone, so it would be less than nothing: name what it is charged on too",
                line.name
            );
            place.fault_at("of", text);
        }
        for base in of.iter().flat_map(|base| base.lines.iter().flatten()).map(|&base| &lines[base])
        {
            if *included && matches!(base.rule, Rule::Monthly { cap_percent: Some(_), .. }) {
                let text = format!("{:?} is capped: what waits of it would have no tax", base.name);
                place.fault_at("of", text);
            }
            if *included && base.is_rebate {
                let text =
                    format!("{:?} is a rebate: what it contains cannot be taken out", base.name);
                place.fault_at("of", text);
            }
            if base.on_top && !line.on_top {
                place.fault_at(
                    "of",
                    format!(
                        "{:?} is on top of the amount, so its share is too: on_top = true",
                        base.name
                    ),
                );
            }
            if above_units.is_some() && !matches!(base.rule, Rule::PerUnit { .. }) {
                place.fault_at("above_units", format!("{:?} has no price per unit", base.name));
            }
            let is_named = |tax: &Line| match &tax.rule {
                Rule::Percent { of, included: true, .. } => {
                    let mut named = of.iter().flat_map(|base| base.lines.iter().flatten());
                    named.any(|&named| lines[named].name == base.name)
                }
                _ => false,
            };
            if above_units.is_some() && lines.iter().any(is_named) {
                let text = format!(
                    "{:?} contains a tax, so its part above a limit is not known",
                    base.name
                );
                place.fault_at("above_units", text);
            }
        }
        if above_units.is_some() && of.iter().any(|base| base.lines.is_none()) {
            place.fault_at("above_units", "the tender has no price per unit");
        }
    }
}
