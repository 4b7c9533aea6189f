"""A Django application that answers 400 requests through its test client: URLs, a form, templates."""

import django
from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template import engines
from django.test import Client
from django.urls import path

PAGE = """<ul>{% for row in rows %}<li class="{% cycle 'a' 'b' %}">{{ row.name|title }}
{% if row.price > 10 %}<b>{{ row.price|floatformat:2 }}</b>{% else %}{{ row.price }}{% endif %}
</li>{% empty %}<li>none</li>{% endfor %}</ul>"""


class Order(forms.Form):
    name = forms.CharField(max_length=40)
    amount = forms.IntegerField(min_value=1, max_value=99)
    mail = forms.EmailField()


def listing(request: HttpRequest) -> HttpResponse:
    rows = [{"name": f"thing {i}", "price": i * 1.5} for i in range(25)]
    return HttpResponse(engines["django"].from_string(PAGE).render({"rows": rows}, request))


def order(request: HttpRequest, number: int) -> HttpResponse:
    form = Order(request.POST)
    return JsonResponse({"number": number, "valid": form.is_valid(), "errors": form.errors})


def main() -> None:
    settings.configure(
        ROOT_URLCONF=(path("list/", listing), path("order/<int:number>/", order)),
        ALLOWED_HOSTS=["*"],
        SECRET_KEY="benchmark",
        MIDDLEWARE=["django.middleware.common.CommonMiddleware"],
        TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates"}],
    )
    django.setup()
    client = Client()
    size = 0
    for i in range(200):
        size += len(client.get("/list/").content)
        sent = {"name": f"n{i}", "amount": str(i), "mail": "a@example.org"}
        size += len(client.post(f"/order/{i}/", sent).content)
    print(size)


if __name__ == "__main__":
    main()
