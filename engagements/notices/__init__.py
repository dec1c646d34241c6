"""What people are told: notices in the page, e-mail through SMTP, calendars as iCal feeds."""
