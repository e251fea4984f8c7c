# Ujumbe wa risiti kwa Kiswahili.
locale = sw-KE

test = JARIBIO: hakuna tokeni hapa inayofanya kazi kwenye mita halisi
reprint = NAKALA { $count } ya { $number }
tax-number = Nambari ya kodi { $number }
receipt = Risiti { $number }
shop = { $vendor }, { $terminal }
operator = Mhudumu: { $name }
account = Akaunti { $number }
meter = Mita
new-key = Ufunguo mpya
tariff = Bei
class = Kundi

unit-electricity = kWh
unit-volume = m³
unit-time = dak
units = { $units } { $unit }
money = { $currency } { $amount }

enter-key-change = Mita yako inapata ufunguo mpya. Kwanza ingiza tokeni yoyote ya zamani uliyo nayo. Kisha ingiza { $count ->
    [one] tokeni hii:
   *[other] tokeni hizi { $count }, kwa mpangilio huu:
}
enter-key-change-again = Ikiwa tu mita inakataa umeme: ingiza { $count ->
    [one] tokeni hii,
   *[other] tokeni hizi { $count }, kwa mpangilio huu,
} kisha tokeni ya umeme tena.
enter-all = Ingiza tokeni hizi { $count }, kwa mpangilio huu:
part = { $part } kati ya { $of }  { $token }
token-credit = salio
token-free-units = uniti za bure
token-key-change = ufunguo mpya
token-engineering = mpangilio wa mita

priced = { $units } kwa { $price }
line-units = { $line } { $units }
line-rate = { $line } { $rate } %
line-payee = { $line }, kwa { $payee }
still-owed = { $line } (deni lililobaki { $balance })
paid-off = { $line } (limelipwa lote)
in-credit = { $line } (ziada { $balance })
free-units = Uniti za bure
rounding = Kukadiria
carried-in = Kutoka mara iliyopita
carried-out = Imewekwa kwa mara ijayo
change = Chenji
total = Jumla
waiting = { $line }, italipwa mara ijayo

paid-by = Malipo
cash = pesa taslimu
card = kadi
mobile = pesa kwa simu
voucher = vocha
on-account = akaunti

days-since = { $days ->
    [0] Ulinunua mara ya mwisho leo
    [one] Siku { $days } tangu ununuzi wako wa mwisho
   *[other] Siku { $days } tangu ununuzi wako wa mwisho
}
