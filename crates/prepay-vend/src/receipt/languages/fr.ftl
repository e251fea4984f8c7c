# Les messages d'un reçu en français.
locale = fr-SN

test = TEST : aucun code de ce reçu ne marche dans un vrai compteur
reprint = DUPLICATA { $count } de { $number }
tax-number = N° fiscal { $number }
receipt = Reçu { $number }
shop = { $vendor }, { $terminal }
operator = Caissier : { $name }
account = Compte { $number }
meter = Compteur
new-key = Nouvelle clé
tariff = Tarif
class = Catégorie

unit-electricity = kWh
unit-volume = m³
unit-time = min
units = { $units } { $unit }
money = { $amount } { $currency }

enter-key-change = Votre compteur reçoit une nouvelle clé. Saisissez d'abord tout ancien code qui vous reste. Saisissez ensuite { $count ->
    [one] ce code :
   *[other] ces { $count } codes, dans cet ordre :
}
enter-key-change-again = Seulement si le compteur refuse le crédit : saisissez { $count ->
    [one] ce code,
   *[other] ces { $count } codes, dans cet ordre,
} puis de nouveau le crédit.
enter-all = Saisissez ces { $count } codes, dans cet ordre :
part = { $part } sur { $of }  { $token }
token-credit = crédit
token-free-units = unités gratuites
token-key-change = nouvelle clé
token-engineering = réglage

priced = { $units } à { $price }
line-units = { $line } { $units }
line-rate = { $line } { $rate } %
line-payee = { $line }, pour { $payee }
still-owed = { $line } (reste dû { $balance })
paid-off = { $line } (soldé)
in-credit = { $line } (avoir { $balance })
free-units = Unités gratuites
rounding = Arrondi
carried-in = Report du dernier achat
carried-out = Reporté au prochain achat
change = Monnaie rendue
total = Total
waiting = { $line }, dû au prochain achat

paid-by = Payé
cash = espèces
card = carte
mobile = paiement mobile
voucher = bon d'achat
on-account = compte

days-since = { $days ->
    [0] Votre dernier achat date d'aujourd'hui
    [one] { $days } jour depuis votre dernier achat
   *[other] { $days } jours depuis votre dernier achat
}
