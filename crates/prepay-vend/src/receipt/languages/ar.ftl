# رسائل الإيصال بالعربية
locale = ar-SD

test = اختبار: لا يعمل أي رمز هنا في عداد حقيقي
reprint = نسخة مكررة { $count } من { $number }
tax-number = الرقم الضريبي { $number }
receipt = إيصال { $number }
shop = { $vendor }، { $terminal }
operator = الموظف: { $name }
account = حساب { $number }
meter = العداد
new-key = المفتاح الجديد
tariff = التعرفة
class = الفئة

unit-electricity = ك.و.س
unit-volume = م³
unit-time = دقيقة
units = { $units } { $unit }
money = { $amount } { $currency }

enter-key-change = يحصل عدادك على مفتاح جديد. أدخل أولاً أي رمز قديم لم تستعمله. ثم أدخل { $count ->
    [one] هذا الرمز:
    [two] هذين الرمزين بهذا الترتيب:
    [few] هذه الرموز ({ $count }) بهذا الترتيب:
   *[other] هذه الرموز ({ $count }) بهذا الترتيب:
}
enter-key-change-again = فقط إذا رفض العداد رمز الرصيد: أدخل { $count ->
    [one] هذا الرمز،
    [two] هذين الرمزين بهذا الترتيب،
   *[other] هذه الرموز ({ $count }) بهذا الترتيب،
} ثم أدخل رمز الرصيد مرة أخرى.
enter-all = { $count ->
    [two] أدخل هذين الرمزين بهذا الترتيب:
   *[other] أدخل هذه الرموز ({ $count }) بهذا الترتيب:
}
part = { $part } من { $of }  { $token }
token-credit = رصيد
token-free-units = وحدات مجانية
token-key-change = مفتاح جديد
token-engineering = ضبط العداد

priced = { $units } بسعر { $price }
line-units = { $line } { $units }
line-rate = { $line } { $rate }٪
line-payee = { $line }، لصالح { $payee }
still-owed = { $line } (يبقى { $balance })
paid-off = { $line } (سُدد كله)
in-credit = { $line } (لك { $balance })
free-units = وحدات مجانية
rounding = تقريب
carried-in = من المرة السابقة
carried-out = يُحفظ للمرة القادمة
change = الباقي المعاد
total = المجموع
waiting = { $line }، يُستحق في المرة القادمة

paid-by = طريقة الدفع
cash = نقدًا
card = بطاقة
mobile = محفظة الهاتف
voucher = قسيمة
on-account = حساب

days-since = { $days ->
    [0] كان آخر شراء لك اليوم
    [one] مرّ يوم واحد على آخر شراء لك
    [two] مرّ يومان على آخر شراء لك
    [few] مرّت { $days } أيام على آخر شراء لك
    [many] مرّ { $days } يومًا على آخر شراء لك
   *[other] مرّ { $days } يوم على آخر شراء لك
}
