"""Entering and binding the customers of a file in the background, a million as well as five.

`begin` takes the file over, `checking` judges its rows and changes nothing, `steering` is what staff say to it,
`entering` carries it out, `working` does both slice by slice. Here and not in `merchants`, because whoever is bound has
coupons that wait.
"""

from coupons.customer_files.beginning import begin
from coupons.customer_files.steering import NeedsAdding, cancel, cancel_forgotten, resume, start
from coupons.customer_files.working import work_all, work_here

__all__ = ["NeedsAdding", "begin", "cancel", "cancel_forgotten", "resume", "start", "work_all", "work_here"]
