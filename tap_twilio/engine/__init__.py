"""How Twilio's lists are read: what is asked for, in which order, and from where on."""
