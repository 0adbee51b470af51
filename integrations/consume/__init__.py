"""Consume reports: each platform is told which of the coupons that it pushed have been redeemed (PROTOCOLS §2).

`writing` puts them down, `lanes` hands them out and writes what came of them, `client` speaks with the platform,
`driving` goes round the accounts.
"""
