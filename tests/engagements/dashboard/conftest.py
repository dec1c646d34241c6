"""What the tests of these pages share."""

CLIENT = {"name": "Nordwind", "country": "DE"}
