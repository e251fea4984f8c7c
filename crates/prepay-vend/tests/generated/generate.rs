//! Tariffs and purchases at random, with every feature of the format.

use prepay_testkit::Random;
use prepay_vend::{Debt, DebtRule, Decimal};

use crate::spec::{Base, Block, Cap, Case, Exchange, Line, Rule, Spec, Written};

const DIRECTIONS: [&str; 4] = ["down", "up", "half_up", "half_even"];

/// Whether something happens, once in so many times.
fn once_in(random: &mut Random, times: usize) -> bool {
    random.below(times) == 0
}

fn direction(random: &mut Random) -> &'static str {
    DIRECTIONS[random.below(DIRECTIONS.len())]
}

pub(crate) fn figure(random: &mut Random, most: usize, places: u32) -> Decimal {
    let count = 1 + random.below(most * 10_usize.pow(places));
    Decimal::new(i64::try_from(count).unwrap(), places).normalize()
}

/// Rising ends of blocks or tiers, and none for the last.
fn ends(random: &mut Random) -> Vec<Option<Decimal>> {
    let mut ends: Vec<Decimal> =
        (0..random.below(4)).map(|_| Decimal::from(5 * (1 + random.below(40)))).collect();
    ends.sort();
    ends.dedup();
    ends.into_iter().map(Some).chain([None]).collect()
}

/// A line without anything special.
fn line(random: &mut Random, kind: &'static str, rule: Rule) -> Line {
    Line {
        kind,
        rule,
        direction: direction(random),
        step: None,
        rebate: false,
        on_top: false,
        times: None,
        written: Written::Plain,
    }
}

/// What the generator knows while it makes lines.
struct Lines {
    lines: Vec<Line>,
    decimals: u32,
    /// Figures are about so large.
    scale: usize,
    with_classes: bool,
    /// Prices are rounded, so nothing else depends on the units of a piece.
    price_is_rounded: bool,
}

impl Lines {
    fn written(&self, random: &mut Random) -> Written {
        match random.below(8) {
            0 => Written::Rate,
            1 => Written::Given,
            2 if self.with_classes => Written::ByClass,
            _ => Written::Plain,
        }
    }

    fn energy(&mut self, random: &mut Random) {
        let pricing = random.below(7);
        let has_free_block = !self.price_is_rounded && once_in(random, 8);
        let blocks: Vec<Block> = ends(random)
            .into_iter()
            .enumerate()
            .map(|(index, to)| Block {
                to,
                price: if has_free_block && index == 0 && to.is_some() {
                    Decimal::ZERO
                } else {
                    figure(random, self.scale, 3)
                },
                reprices: !self.price_is_rounded
                    && (pricing == 4 || (pricing == 3 && once_in(random, 3))),
                accrues: pricing == 5 && index == 0 && to.is_some(),
            })
            .collect();
        let exchange = once_in(random, 6).then(|| Exchange {
            rate: figure(random, 3, 4),
            step: once_in(random, 2).then(|| Decimal::new(1, 4)),
            direction: direction(random),
        });
        let whole_purchase = !self.price_is_rounded && pricing == 2;
        let mut energy =
            line(random, "energy", Rule::PerUnit { blocks, whole_purchase, cap: None, exchange });
        energy.written = self.written(random);
        if self.with_classes && once_in(random, 3) {
            energy.written = Written::ForClass;
        }
        self.lines.push(energy);
    }

    /// A charge that does not depend on the amount of a purchase.
    fn fixed(&mut self, random: &mut Random) {
        let Self { decimals, scale, .. } = *self;
        let mut made = match random.below(4) {
            0 | 1 => {
                let mut tiers: Vec<_> = if once_in(random, 2) { ends(random) } else { vec![None] }
                    .into_iter()
                    .map(|to| (to, figure(random, 5 * scale, decimals)))
                    .collect();
                if self.price_is_rounded {
                    tiers.truncate(1);
                    tiers[0].0 = None;
                }
                let is_fixed = |line: &Line| {
                    matches!(
                        line.rule,
                        Rule::Monthly { .. } | Rule::Daily { .. } | Rule::PerPurchase { .. }
                    ) && !line.on_top
                        && !line.rebate
                };
                let others: Vec<usize> =
                    (0..self.lines.len()).filter(|&index| is_fixed(&self.lines[index])).collect();
                let cap = (!self.price_is_rounded && once_in(random, 3)).then(|| Cap {
                    percent: Decimal::from(10 + random.below(60)),
                    with: others.into_iter().filter(|_| once_in(random, 2)).collect(),
                    waiting: if once_in(random, 2) {
                        Decimal::ZERO
                    } else {
                        figure(random, 5 * scale, decimals)
                    },
                });
                let accrues = once_in(random, 2);
                line(random, "charge", Rule::Monthly { tiers, accrues, cap })
            }
            2 => {
                let amount = figure(random, scale, decimals);
                let most_days = once_in(random, 2).then(|| 1 + random.below(30) as u32);
                line(random, "charge", Rule::Daily { amount, most_days })
            }
            _ => {
                let above = once_in(random, 2).then(|| figure(random, 100 * scale, decimals));
                let amount = figure(random, 3 * scale, decimals);
                line(random, "charge", Rule::PerPurchase { amount, above })
            }
        };
        let is_monthly = matches!(made.rule, Rule::Monthly { .. });
        made.on_top = !is_monthly && once_in(random, 5);
        made.rebate = !self.price_is_rounded && !made.on_top && !is_monthly && once_in(random, 8);
        made.times = once_in(random, 4).then(|| figure(random, 3, 1));
        made.written = self.written(random);
        self.lines.push(made);
    }

    /// A levy by units.
    fn levy(&mut self, random: &mut Random) {
        let Self { decimals, scale, .. } = *self;
        let rule = if once_in(random, 2) {
            let cap = once_in(random, 2).then(|| figure(random, 20 * scale, decimals));
            let block =
                Block { to: None, price: figure(random, 1, 2), reprices: false, accrues: false };
            Rule::PerUnit { blocks: vec![block], whole_purchase: false, cap, exchange: None }
        } else {
            let blocks = ends(random)
                .into_iter()
                .map(|to| Block {
                    to,
                    price: figure(random, 1, 3),
                    reprices: false,
                    accrues: false,
                })
                .collect();
            Rule::PerUnit { blocks, whole_purchase: false, cap: None, exchange: None }
        };
        let mut made = line(random, "levy", rule);
        made.written = self.written(random);
        self.lines.push(made);
    }

    /// A tax that the figures of some lines contain. It stands before every other share.
    fn included(&mut self, random: &mut Random) {
        let can = |line: &Line| {
            let is_capped = matches!(&line.rule, Rule::Monthly { cap: Some(_), .. });
            !line.on_top && !line.rebate && !is_capped
        };
        let counts = |index: usize| {
            self.lines.iter().any(|line| {
                matches!(&line.rule, Rule::Monthly { cap: Some(cap), .. } if cap.with.contains(&index))
            })
        };
        let of: Vec<Base> = (0..self.lines.len())
            .filter(|&index| can(&self.lines[index]) && !counts(index))
            .filter(|&index| index == 0 || once_in(random, 2))
            .map(|index| Base { taken_off: false, line: Some(index) })
            .collect();
        let rate = Decimal::new(1 + random.below(250) as i64, 1);
        let rule = Rule::Percent {
            rate,
            divide_by: None,
            of,
            above: None,
            printed: false,
            included: true,
        };
        let made = line(random, "tax", rule);
        self.lines.push(made);
    }

    fn share(&mut self, random: &mut Random) {
        let on_top = once_in(random, 10);
        let choice = random.below(4);
        let mut of: Vec<Base> = Vec::new();
        if choice == 0 {
            of.push(Base { taken_off: false, line: None });
        }
        if choice != 0 || once_in(random, 4) {
            let bases = 1 + random.below(self.lines.len());
            let mut lines: Vec<usize> =
                (0..bases).map(|_| random.below(self.lines.len())).collect();
            lines.sort_unstable();
            lines.dedup();
            let usable = lines.into_iter().filter(|&base| on_top || !self.lines[base].on_top);
            let rounded = self.price_is_rounded;
            of.extend(usable.map(|line| Base {
                taken_off: !rounded && (once_in(random, 6) || (choice == 0 && once_in(random, 2))),
                line: Some(line),
            }));
        }
        let is_taken_off =
            |base: &Base| base.taken_off != base.line.is_some_and(|line| self.lines[line].rebate);
        if of.iter().all(is_taken_off) {
            of = vec![Base { taken_off: false, line: Some(0) }];
        }
        let contains_tax = self.lines.iter().any(|line| {
            matches!(&line.rule, Rule::Percent { included: true, of, .. } if of.iter().any(|base| base.line == Some(0)))
        });
        let is_of_energy = of.len() == 1 && of[0].line == Some(0);
        let above = (is_of_energy && !contains_tax && !self.price_is_rounded && once_in(random, 3))
            .then(|| Decimal::from(5 * (1 + random.below(40))));
        let rule = Rule::Percent {
            rate: Decimal::new(1 + random.below(150) as i64, 1),
            divide_by: once_in(random, 5).then(|| Decimal::new(101 + random.below(20) as i64, 2)),
            of,
            above,
            printed: false,
            included: false,
        };
        let rebate = !self.price_is_rounded && !on_top && once_in(random, 4);
        let kind = if rebate { "charge" } else { *random.choice(&["tax", "levy"]) };
        let mut made = line(random, kind, rule);
        (made.rebate, made.on_top) = (rebate, on_top);
        made.written = self.written(random);
        self.lines.push(made);
    }
}

pub(crate) fn case(random: &mut Random) -> Case {
    let decimals = *random.choice(&[0, 2, 2, 2, 3, 4]);
    let scale = if decimals == 0 { 1000 } else { 5 };
    let price_is_rounded = once_in(random, 12);
    let with_classes = once_in(random, 4);
    let mut lines = Lines { lines: Vec::new(), decimals, scale, with_classes, price_is_rounded };
    lines.energy(random);
    for _ in 0..random.below(3) {
        lines.fixed(random);
    }
    if !price_is_rounded {
        for _ in 0..random.below(2) {
            lines.levy(random);
        }
        if once_in(random, 6) {
            lines.included(random);
        }
    }
    for _ in 0..random.below(3) {
        lines.share(random);
    }
    let mut lines = lines.lines;
    let units_from = *random.choice(&["exact", "energy", "units_first"]);
    // A line that takes the remainder: energy, or a tax or levy that is inside.
    let candidates: Vec<usize> = (0..lines.len())
        .filter(|&index| {
            index == 0 || (["tax", "levy"].contains(&lines[index].kind) && !lines[index].on_top)
        })
        .collect();
    let (remainder, remainder_word) = match (units_from, random.below(5)) {
        ("units_first", 0) => (None, "change".to_owned()),
        ("units_first", 1) => (None, "carry".to_owned()),
        (_, 2) => (None, "rounding".to_owned()),
        (_, 3) if with_classes => (Some(0), "decoy".to_owned()),
        _ => {
            let index = *random.choice(&candidates);
            (Some(index), format!("l{index}"))
        }
    };
    let cent = Decimal::new(1, decimals);
    for line in &mut lines {
        let wanted = once_in(random, 3);
        let wide = once_in(random, 12).then(|| cent * Decimal::from(*random.choice(&[5, 10])));
        line.step = wide;
        // Some shares are of printed amounts, where no base is printed last.
        let Rule::Percent { of, printed, above, included, .. } = &mut line.rule else {
            continue;
        };
        let is_last = of.iter().any(|base| base.line.is_some() && base.line == remainder);
        *printed = wanted && above.is_none() && !*included && !is_last;
    }
    let spec = Spec {
        decimals,
        lines,
        units_step: *random.choice(&[Decimal::ONE, Decimal::new(1, 1), Decimal::new(1, 2)]),
        units_direction: direction(random),
        units_from,
        remainder,
        remainder_word,
        price_step: price_is_rounded.then(|| Decimal::new(1, decimals + 1)),
        gap: ["change", "carry", "refuse"][random.below(3)],
        debts_after: once_in(random, 2),
        debts_most: once_in(random, 4).then(|| Decimal::from(20 + random.below(60))),
        token_step: once_in(random, 4).then(|| Decimal::new(1, 1)),
        free_units: once_in(random, 4).then(|| figure(random, 60, 1)),
        with_classes,
    };
    let months = random.below(4) as u32;
    Case {
        amount: figure(random, 300 * scale, decimals),
        bought: if once_in(random, 2) { Decimal::ZERO } else { figure(random, 200, 1) },
        months,
        months_in_blocks: months.max(1 + random.below(3) as u32),
        days: random.below(40) as u32,
        debts: debts(random, scale, decimals),
        carried: if once_in(random, 5) { figure(random, scale, decimals) } else { Decimal::ZERO },
        carried_units: if spec.token_step.is_some() {
            Decimal::new(random.below(10) as i64, 2)
        } else {
            Decimal::ZERO
        },
        free_units_due: once_in(random, 2),
        spec,
    }
}

fn debts(random: &mut Random, scale: usize, decimals: u32) -> Vec<Debt> {
    let mut debts = Vec::new();
    for number in 0..random.below(3) {
        let rate = Decimal::from(5 + random.below(50));
        let rule = match random.below(4) {
            0 => DebtRule::PercentOfAmount(rate),
            1 => DebtRule::PercentOfDebt(rate),
            2 => DebtRule::Fixed(figure(random, 5 * scale, decimals)),
            _ => DebtRule::All,
        };
        debts.push(Debt {
            name: format!("debt {number}"),
            balance: figure(random, 20 * scale, decimals),
            rule,
            most_percent: once_in(random, 2).then_some(Decimal::from(30)),
            most_amount: once_in(random, 4).then(|| figure(random, 10 * scale, decimals)),
        });
    }
    debts
}
