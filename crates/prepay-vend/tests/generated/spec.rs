//! A generated tariff as the generator chose it, and as the file that says the same.

use std::fmt::Write as _;

use prepay_vend::{Debt, Decimal};

/// A block of units of the month.
#[derive(Clone, Debug)]
pub(crate) struct Block {
    pub(crate) to: Option<Decimal>,
    pub(crate) price: Decimal,
    pub(crate) reprices: bool,
    pub(crate) accrues: bool,
}

/// Prices in another currency: the rate, and the step and direction of each product.
#[derive(Clone, Debug)]
pub(crate) struct Exchange {
    pub(crate) rate: Decimal,
    pub(crate) step: Option<Decimal>,
    pub(crate) direction: &'static str,
}

/// The most that a monthly charge takes of an amount.
#[derive(Clone, Debug)]
pub(crate) struct Cap {
    pub(crate) percent: Decimal,
    pub(crate) with: Vec<usize>,
    /// What waits from earlier purchases.
    pub(crate) waiting: Decimal,
}

/// A part of what a percentage is taken of: a line, or the tender.
#[derive(Clone, Debug)]
pub(crate) struct Base {
    pub(crate) taken_off: bool,
    pub(crate) line: Option<usize>,
}

/// What a line is.
#[derive(Clone, Debug)]
pub(crate) enum Rule {
    PerUnit {
        blocks: Vec<Block>,
        whole_purchase: bool,
        cap: Option<Decimal>,
        exchange: Option<Exchange>,
    },
    Monthly {
        tiers: Vec<(Option<Decimal>, Decimal)>,
        accrues: bool,
        cap: Option<Cap>,
    },
    Daily {
        amount: Decimal,
        most_days: Option<u32>,
    },
    PerPurchase {
        amount: Decimal,
        above: Option<Decimal>,
    },
    Percent {
        rate: Decimal,
        divide_by: Option<Decimal>,
        of: Vec<Base>,
        above: Option<Decimal>,
        printed: bool,
        included: bool,
    },
}

/// How the figures of a line are written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Written {
    Plain,
    /// As a rate with dates.
    Rate,
    /// As a rate that comes with the purchase.
    Given,
    /// By class.
    ByClass,
    /// Plain, and the line is for one class; another line has its name for the other class.
    ForClass,
}

#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) kind: &'static str,
    pub(crate) rule: Rule,
    pub(crate) direction: &'static str,
    pub(crate) step: Option<Decimal>,
    pub(crate) rebate: bool,
    pub(crate) on_top: bool,
    pub(crate) times: Option<Decimal>,
    pub(crate) written: Written,
}

#[derive(Clone, Debug)]
pub(crate) struct Spec {
    pub(crate) decimals: u32,
    pub(crate) lines: Vec<Line>, // The first is the energy.
    pub(crate) units_step: Decimal,
    pub(crate) units_direction: &'static str,
    pub(crate) units_from: &'static str,
    /// The line that takes the remainder, by index.
    pub(crate) remainder: Option<usize>,
    /// How the file names what takes the remainder.
    pub(crate) remainder_word: String,
    pub(crate) price_step: Option<Decimal>,
    pub(crate) gap: &'static str,
    pub(crate) debts_after: bool,
    pub(crate) debts_most: Option<Decimal>,
    pub(crate) token_step: Option<Decimal>,
    pub(crate) free_units: Option<Decimal>,
    pub(crate) with_classes: bool,
}

/// A purchase under a generated tariff.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) spec: Spec,
    pub(crate) amount: Decimal,
    pub(crate) bought: Decimal,
    pub(crate) months: u32,
    pub(crate) months_in_blocks: u32,
    pub(crate) days: u32,
    pub(crate) debts: Vec<Debt>,
    pub(crate) carried: Decimal,
    pub(crate) carried_units: Decimal,
    pub(crate) free_units_due: bool,
}

impl Spec {
    /// The smallest unit of money.
    pub(crate) fn cent(&self) -> Decimal {
        Decimal::new(1, self.decimals)
    }

    /// The tariff file, and the rates that come with a purchase.
    pub(crate) fn file(&self) -> (String, Vec<(String, Decimal)>) {
        let mut file = File::default();
        for (index, line) in self.lines.iter().enumerate() {
            file.line(index, line);
        }
        let Self { decimals, units_step, units_direction, units_from, gap, .. } = self;
        let mut text = format!(
            "name = \"generated\"\ncurrency = \"XTS\"\ndecimals = {decimals}\n[month]\nzone = \"UTC\"\n"
        );
        if self.with_classes {
            text += "[class.mine]\n[class.other]\n";
        }
        text += &file.rates;
        let most =
            self.debts_most.map_or_else(String::new, |most| format!(", most_percent = {most}"));
        write!(
            text,
            "[[version]]\nfrom = 2020-01-01\ngap = \"{gap}\"\ndebts = {{ after_charges = {}{most} }}\n",
            self.debts_after
        )
        .unwrap();
        if let Some(step) = self.token_step {
            writeln!(text, "token_step = {step}").unwrap();
        }
        if let Some(units) = self.free_units {
            let other = if self.with_classes {
                format!("{{ mine = {units}, other = 1 }}")
            } else {
                units.to_string()
            };
            writeln!(text, "free_units = {other}").unwrap();
        }
        write!(
            text,
            "[version.rounding]\nunits = {units_step}\nunits_direction = \"{units_direction}\"\n\
             units_from = \"{units_from}\"\nremainder = \"{}\"\n",
            self.remainder_word
        )
        .unwrap();
        if let Some(step) = self.price_step {
            writeln!(text, "price = {step}").unwrap();
        }
        text += &file.lines;
        if self.with_classes {
            text += "[[version.line]]\nname = \"decoy\"\nkind = \"levy\"\nclass = \"other\"\nprice = 1\n";
        }
        (text, file.given)
    }
}

/// A file while it is written.
#[derive(Default)]
struct File {
    lines: String,
    rates: String,
    given: Vec<(String, Decimal)>,
    count: usize,
}

impl File {
    fn figure(&mut self, value: Decimal, written: Written) -> String {
        let name = format!("r{}", self.count);
        match written {
            Written::Plain | Written::ForClass => return value.to_string(),
            Written::ByClass => return format!("{{ mine = {value}, other = 7 }}"),
            Written::Rate => writeln!(
                self.rates,
                "[rate.{name}]\nvalues = [{{ from = 2019-01-01, value = 9 }}, {{ from = 2024-01-01, value = {value} }}, \
                 {{ from = 2025-01-01, value = 3 }}]"
            )
            .unwrap(),
            Written::Given => {
                writeln!(self.rates, "[rate.{name}]").unwrap();
                self.given.push((name.clone(), value));
            }
        }
        self.count += 1;
        format!("\"{name}\"")
    }

    fn line(&mut self, index: usize, line: &Line) {
        let Line { kind, direction, rebate, on_top, written, .. } = line;
        let mut text = format!(
            "[[version.line]]\nname = \"l{index}\"\nkind = \"{kind}\"\nround = \"{direction}\"\nrebate = {rebate}\non_top = {on_top}\n"
        );
        if *written == Written::ForClass {
            self.lines += &format!(
                "[[version.line]]\nname = \"l{index}\"\nkind = \"{kind}\"\nclass = \"other\"\nprice = 1\n"
            );
            text += "class = \"mine\"\n";
        }
        if let Some(step) = line.step {
            writeln!(text, "round_step = {step}").unwrap();
        }
        if let Some(times) = line.times {
            let times = self.figure(times, *written);
            writeln!(text, "times = {times}").unwrap();
        }
        let to = |to: &Option<Decimal>| to.map_or_else(String::new, |to| format!("to = {to}, "));
        match &line.rule {
            Rule::PerUnit { blocks, whole_purchase, cap, exchange } => {
                if let [Block { price, .. }] = blocks.as_slice() {
                    let price = self.figure(*price, *written);
                    writeln!(text, "price = {price}").unwrap();
                } else {
                    let written =
                        if *written == Written::ByClass { Written::Plain } else { *written };
                    let mut all = Vec::new();
                    for block in blocks {
                        let price = self.figure(block.price, written);
                        all.push(format!(
                            "{{ {}price = {price}, reprices = {}, accrues = {} }}",
                            to(&block.to),
                            block.reprices,
                            block.accrues
                        ));
                    }
                    writeln!(text, "blocks = [{}]", all.join(", ")).unwrap();
                }
                if *whole_purchase {
                    text += "pricing = \"whole_purchase\"\n";
                }
                if let Some(cap) = cap {
                    let cap = self.figure(*cap, *written);
                    writeln!(text, "monthly_cap = {cap}").unwrap();
                }
                if let Some(Exchange { rate, step, direction }) = exchange {
                    let rate = self.figure(*rate, Written::Given);
                    let step = step.map_or_else(String::new, |step| {
                        format!(", step = {step}, direction = \"{direction}\"")
                    });
                    writeln!(text, "exchange = {{ rate = {rate}{step} }}").unwrap();
                }
            }
            Rule::Monthly { tiers, accrues, cap } => {
                if let [(None, amount)] = tiers.as_slice() {
                    let amount = self.figure(*amount, *written);
                    writeln!(text, "monthly = {amount}").unwrap();
                } else {
                    let tiers: Vec<String> = tiers
                        .iter()
                        .map(|(end, amount)| {
                            format!("{{ {}amount = {} }}", to(end), self.figure(*amount, *written))
                        })
                        .collect();
                    writeln!(text, "monthly = [{}]", tiers.join(", ")).unwrap();
                }
                writeln!(text, "accrues = {accrues}").unwrap();
                if let Some(Cap { percent, with, .. }) = cap {
                    let percent = self.figure(*percent, *written);
                    let with: Vec<String> =
                        with.iter().map(|line| format!("\"l{line}\"")).collect();
                    writeln!(text, "cap_percent = {percent}").unwrap();
                    if !with.is_empty() {
                        writeln!(text, "cap_with = [{}]", with.join(", ")).unwrap();
                    }
                }
            }
            Rule::Daily { amount, most_days } => {
                let amount = self.figure(*amount, *written);
                writeln!(text, "daily = {amount}").unwrap();
                if let Some(most) = most_days {
                    writeln!(text, "most_days = {most}").unwrap();
                }
            }
            Rule::PerPurchase { amount, above } => {
                let amount = self.figure(*amount, *written);
                writeln!(text, "per_purchase = {amount}").unwrap();
                if let Some(above) = above {
                    writeln!(text, "above = {above}").unwrap();
                }
            }
            Rule::Percent { rate, divide_by, of, above, printed, included } => {
                let rate = self.figure(*rate, *written);
                let of: Vec<String> = of
                    .iter()
                    .map(|base| {
                        let sign = if base.taken_off { "-" } else { "" };
                        base.line.map_or_else(
                            || format!("\"{sign}tender\""),
                            |line| format!("\"{sign}l{line}\""),
                        )
                    })
                    .collect();
                writeln!(
                    text,
                    "percent = {rate}\nof = [{}]\nof_printed = {printed}\nincluded = {included}",
                    of.join(", ")
                )
                .unwrap();
                if let Some(by) = divide_by {
                    writeln!(text, "divide_by = {by}").unwrap();
                }
                if let Some(above) = above {
                    writeln!(text, "above_units = {above}").unwrap();
                }
            }
        }
        self.lines += &text;
    }
}
