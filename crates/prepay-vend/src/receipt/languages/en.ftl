# The messages of a receipt in English. What each is given stands in { }; its format is that of Fluent, projectfluent.org.
locale = en-KE

test = TEST: no token here works in a real meter
reprint = REPRINT { $count } of { $number }
tax-number = Tax number { $number }
receipt = Receipt { $number }
shop = { $vendor }, { $terminal }
operator = Operator: { $name }
account = Account { $number }
meter = Meter
new-key = New key
tariff = Tariff
class = Class

unit-electricity = kWh
unit-volume = m³
unit-time = min
units = { $units } { $unit }
money = { $currency } { $amount }

# Before the tokens of a key change, or the numbered tokens of a receipt.
enter-key-change = Your meter gets a new key. First enter any older token you still have. Then enter { $count ->
    [one] this token:
   *[other] these { $count } tokens, in this order:
}
enter-key-change-again = Only if the meter refuses the credit: enter { $count ->
    [one] this token,
   *[other] these { $count } tokens, in this order,
} then the credit again.
enter-all = Enter these { $count } tokens, in this order:
part = { $part } of { $of }  { $token }
token-credit = credit
token-free-units = free units
token-key-change = new key
token-engineering = setting

priced = { $units } @ { $price }
line-units = { $line } { $units }
line-rate = { $line } { $rate } %
line-payee = { $line }, for { $payee }
still-owed = { $line } ({ $balance } still owed)
paid-off = { $line } (paid off)
in-credit = { $line } ({ $balance } in credit)
free-units = Free units
rounding = Rounding
carried-in = From last time
carried-out = Kept for next time
change = Change
total = Total
waiting = { $line }, due next time

paid-by = Paid
cash = cash
card = card
mobile = mobile money
voucher = voucher
on-account = account

days-since = { $days ->
    [0] Your last purchase was today
    [one] { $days } day since your last purchase
   *[other] { $days } days since your last purchase
}
