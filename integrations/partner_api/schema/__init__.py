"""The OpenAPI 3.1 description of the partner API: made from what validates and answers, never beside it.

- `calls`: each call with its words, and the refusals that only it gives; `answers` and `words`: what answers hold.
- `kinds`: how the fields of `partner_api.fields` read in the schema; `refusals`: the error answers by call.
- `webhooks`: what partners are sent.
- `inspector` puts them together for drf-spectacular, `document` gives the whole its last form.
- `views`: /api/schema/ and /api/docs/. docs/openapi.yaml is written by `make openapi` and compared by `make check`.
"""
