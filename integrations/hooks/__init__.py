"""What others call: the smart-coupon platform's pushes and dfire's redemption callback.

Every hook goes the same way (`view`): authenticate, read and check, record and act in one transaction, answer.
"""
