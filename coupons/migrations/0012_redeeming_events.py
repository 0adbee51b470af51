"""Two more kinds of events and a permission. Only words, which the database does not know."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('coupons', '0011_figures_rolled_up'),
    ]

    operations = [
        migrations.AlterField(
            model_name='couponevent',
            name='kind',
            field=models.CharField(choices=[('issued', 'issued'), ('queued', 'queued for delivery'), ('waiting', "waiting for the customer's binding"), ('delivered', 'delivered to dfire'), ('delivery_failed', 'delivery failed'), ('transferred', 'given to another customer'), ('transfer_failed', 'back with the giver'), ('redeemed', 'redeemed'), ('revoked', 'revoked'), ('withdrawn', 'withdrawn at dfire'), ('withdrawal_failed', 'withdrawal at dfire failed'), ('expired', 'expired'), ('flagged', 'flagged for staff'), ('reconciled', 'repair begun after a comparison with dfire'), ('reissued', 'replaced by another coupon'), ('redeeming', 'a partner began to redeem it'), ('not_redeemed', 'not redeemed: it can be used again')], max_length=20, verbose_name='what happened'),
        ),
        migrations.AlterModelOptions(
            name='issuedcoupon',
            options={'ordering': ['-id'], 'permissions': [('issue_issuedcoupon', 'Can issue coupons'), ('revoke_issuedcoupon', 'Can revoke coupons'), ('transfer_issuedcoupon', 'Can transfer coupons'), ('reissue_issuedcoupon', 'Can replace redeemed coupons'), ('decide_issuedcoupon', 'Can decide redemptions that dfire leaves open')], 'verbose_name': 'issued coupon', 'verbose_name_plural': 'issued coupons'},
        ),
    ]
