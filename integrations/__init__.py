"""How the portal speaks with others: dfire, the smart-coupon platform, partner apps. Nothing else opens a socket."""
