"""Requests that wait for a second person, and what each has done alone. The database keeps requests as they were asked:
each begins waiting, is decided once, and is never rewritten or deleted.
"""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

FORWARD = """
CREATE FUNCTION coupons_keep_requests() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    gone text[] := ARRAY['template_id', 'batch_id', 'begun_id'];
    word text[] := ARRAY['state', 'decided_by_id', 'decided_at', 'note', 'lapse'];
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'waiting' THEN
            RAISE EXCEPTION 'a request begins waiting' USING ERRCODE = 'restrict_violation';
        END IF;
        RETURN NEW;
    END IF;
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'requests are kept' USING ERRCODE = 'restrict_violation';
    END IF;
    IF (to_jsonb(NEW) - (gone || word)) IS DISTINCT FROM (to_jsonb(OLD) - (gone || word))
        OR (NEW.template_id IS NOT NULL AND NEW.template_id IS DISTINCT FROM OLD.template_id)
        OR (NEW.batch_id IS NOT NULL AND NEW.batch_id IS DISTINCT FROM OLD.batch_id)
        OR (NEW.begun_id IS NOT NULL AND OLD.begun_id IS NOT NULL AND NEW.begun_id <> OLD.begun_id)
    THEN
        RAISE EXCEPTION 'what was asked for is never rewritten' USING ERRCODE = 'restrict_violation';
    END IF;
    IF OLD.state <> 'waiting' AND (to_jsonb(NEW) - gone) IS DISTINCT FROM (to_jsonb(OLD) - gone) THEN
        RAISE EXCEPTION 'a request is decided once' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER approval_is_kept BEFORE INSERT OR UPDATE OR DELETE ON coupons_approval
    FOR EACH ROW EXECUTE FUNCTION coupons_keep_requests();
"""
BACKWARD = """
DROP TRIGGER approval_is_kept ON coupons_approval;
DROP FUNCTION coupons_keep_requests;
"""


class Migration(migrations.Migration):

    dependencies = [
        ('coupons', '0013_audited'),
        ('merchants', '0008_approve'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Approval',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('act', models.CharField(choices=[('issue', 'issue to many'), ('recall', 'recall'), ('revoke', 'revoke chosen coupons'), ('publish', 'publish a template'), ('change', 'change an open template')], max_length=10, verbose_name='what is asked for')),
                ('state', models.CharField(choices=[('waiting', 'waiting for approval'), ('approved', 'approved'), ('refused', 'refused'), ('withdrawn', 'withdrawn'), ('lapsed', 'lapsed')], default='waiting', max_length=10, verbose_name='state')),
                ('begun', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='begun_by', to='coupons.batch', verbose_name='recall')),
                ('subject', models.CharField(max_length=300, verbose_name='about')),
                ('terms_version', models.PositiveIntegerField(null=True, verbose_name='version of the terms')),
                ('coupons', models.PositiveIntegerField(null=True, verbose_name='coupons')),
                ('value_fen', models.PositiveBigIntegerField(null=True, verbose_name='value (fen)')),
                ('asked', models.JSONField(default=dict, verbose_name='as it was asked for')),
                ('chosen', models.CharField(default='', editable=False, max_length=32)),
                ('reason', models.CharField(max_length=200, verbose_name='reason')),
                ('requested_at', models.DateTimeField(auto_now_add=True, verbose_name='asked at')),
                ('expires_at', models.DateTimeField(verbose_name='lapses at')),
                ('decided_at', models.DateTimeField(null=True, verbose_name='decided at')),
                ('note', models.CharField(default='', max_length=200, verbose_name='note')),
                ('lapse', models.CharField(choices=[('too_old', 'Nobody decided it in time.'), ('changed', 'What it was about has changed since: it has to be asked anew.'), ('requester', 'Whoever asked may not do this any more.'), ('nothing_left', 'Nothing is left of what it was about.')], default='', max_length=20, verbose_name='why it lapsed')),
                ('batch', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='approvals', to='coupons.batch', verbose_name='batch')),
                ('decided_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='decided by')),
                ('merchant', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='merchants.merchant', verbose_name='merchant')),
                ('requested_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='asked by')),
                ('template', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='approvals', to='coupons.coupontemplate', verbose_name='template')),
            ],
            options={
                'verbose_name': 'approval',
                'verbose_name_plural': 'approvals',
                'ordering': ['-id'],
                'default_permissions': ('view',),
                'indexes': [models.Index(fields=['merchant', '-id'], name='approval_of_merchant'), models.Index(condition=models.Q(('state', 'waiting')), fields=['merchant', 'expires_at'], name='approval_waiting')],
                'constraints': [models.CheckConstraint(condition=models.Q(('act__in', ['issue', 'recall', 'revoke', 'publish', 'change'])), name='approval_act_known'), models.CheckConstraint(condition=models.Q(('decided_by', None), models.Q(('decided_by', models.F('requested_by')), _negated=True), _connector='OR'), name='approval_by_somebody_else'), models.CheckConstraint(condition=models.Q(models.Q(('decided_at', None), ('decided_by', None), ('state', 'waiting')), models.Q(('decided_at__isnull', False), ('decided_by__isnull', False), ('state__in', ['approved', 'refused'])), models.Q(('decided_at__isnull', False), ('decided_by', None), ('state__in', ['withdrawn', 'lapsed'])), _connector='OR'), name='approval_decided_wholly'), models.CheckConstraint(condition=models.Q(models.Q(('state', 'refused'), _negated=True), models.Q(('note', ''), _negated=True), _connector='OR'), name='approval_refused_with_a_note'), models.CheckConstraint(condition=models.Q(models.Q(('lapse__in', ['too_old', 'changed', 'requester', 'nothing_left']), ('state', 'lapsed')), models.Q(models.Q(('state', 'lapsed'), _negated=True), ('lapse', '')), _connector='OR'), name='approval_lapsed_says_why'), models.UniqueConstraint(condition=models.Q(('state', 'waiting')), fields=('act', 'template', 'batch', 'chosen'), name='approval_waits_once', nulls_distinct=False)],
            },
        ),
        migrations.CreateModel(
            name='DoneAlone',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('gives', models.BooleanField(help_text='Otherwise taken back.', verbose_name='issued')),
                ('coupons', models.PositiveIntegerField(verbose_name='coupons')),
                ('value_fen', models.PositiveBigIntegerField(verbose_name='value (fen)')),
                ('at', models.DateTimeField(auto_now_add=True, verbose_name='time')),
                ('template', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='coupons.coupontemplate', verbose_name='template')),
                ('user', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='by')),
            ],
            options={
                'verbose_name': 'done alone',
                'verbose_name_plural': 'done alone',
                'ordering': ['-id'],
                'default_permissions': (),
                'indexes': [models.Index(fields=['user', 'gives', 'at'], name='done_alone_lately'), models.Index(fields=['at'], name='done_alone_by_age')],
            },
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
