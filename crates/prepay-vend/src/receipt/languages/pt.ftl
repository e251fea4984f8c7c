# As mensagens de um recibo em português.
locale = pt-MZ

test = TESTE: nenhum código deste recibo funciona num contador real
reprint = SEGUNDA VIA { $count } de { $number }
tax-number = Número fiscal { $number }
receipt = Recibo { $number }
shop = { $vendor }, { $terminal }
operator = Operador: { $name }
account = Conta { $number }
meter = Contador
new-key = Nova chave
tariff = Tarifa
class = Categoria

unit-electricity = kWh
unit-volume = m³
unit-time = min
units = { $units } { $unit }
money = { $amount } { $currency }

enter-key-change = O seu contador recebe uma chave nova. Introduza primeiro qualquer código antigo que ainda tenha. Depois introduza { $count ->
    [one] este código:
   *[other] estes { $count } códigos, por esta ordem:
}
enter-key-change-again = Só se o contador recusar o crédito: introduza { $count ->
    [one] este código
   *[other] estes { $count } códigos, por esta ordem,
} e depois outra vez o crédito.
enter-all = Introduza estes { $count } códigos, por esta ordem:
part = { $part } de { $of }  { $token }
token-credit = crédito
token-free-units = unidades grátis
token-key-change = chave nova
token-engineering = configuração

priced = { $units } a { $price }
line-units = { $line } { $units }
line-rate = { $line } { $rate } %
line-payee = { $line }, para { $payee }
still-owed = { $line } (em dívida { $balance })
paid-off = { $line } (saldada)
in-credit = { $line } (crédito de { $balance })
free-units = Unidades grátis
rounding = Arredondamento
carried-in = Da última compra
carried-out = Fica para a próxima compra
change = Troco
total = Total
waiting = { $line }, a pagar na próxima compra

paid-by = Pago
cash = numerário
card = cartão
mobile = dinheiro móvel
voucher = vale
on-account = conta

days-since = { $days ->
    [0] A sua última compra foi hoje
    [one] { $days } dia desde a sua última compra
   *[other] { $days } dias desde a sua última compra
}
