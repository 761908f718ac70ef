"""The raw tables the sample writes, in the layouts their connectors land.

One line a table: `source.table  column:type ...`, the key first. Types: s text, i whole number,
f decimal number, b boolean, d date, t timestamp.
"""

# ruff: noqa: E501
from __future__ import annotations

from typing import Any

import pyarrow as pa

_TYPES: dict[str, Any] = {
    "s": pa.string(), "i": pa.int64(), "f": pa.float64(), "b": pa.bool_(), "d": pa.date32(), "t": pa.timestamp("us"),
}  # fmt: skip

_LAYOUT = """
salesforce.account id:s name:s account_number:s parent_id:s website:s phone:s industry:s number_of_employees:i annual_revenue:f type:s billing_street:s billing_city:s billing_state:s billing_postal_code:s billing_country:s billing_country_code:s is_deleted:b created_date:t last_modified_date:t _fivetran_synced:t
salesforce.contact id:s account_id:s first_name:s last_name:s name:s email:s phone:s mobile_phone:s title:s birthdate:d mailing_street:s mailing_city:s mailing_state:s mailing_postal_code:s mailing_country:s mailing_country_code:s has_opted_out_of_email:b do_not_call:b is_deleted:b created_date:t last_modified_date:t _fivetran_synced:t
salesforce.lead id:s first_name:s last_name:s name:s company:s email:s phone:s mobile_phone:s title:s website:s industry:s number_of_employees:i annual_revenue:f street:s city:s state:s postal_code:s country:s country_code:s status:s lead_source:s is_converted:b converted_date:d converted_contact_id:s converted_account_id:s has_opted_out_of_email:b is_deleted:b created_date:t last_modified_date:t _fivetran_synced:t
salesforce.opportunity id:s account_id:s name:s stage_name:s amount:f probability:f type:s lead_source:s is_closed:b is_won:b is_deleted:b close_date:d created_date:t last_modified_date:t _fivetran_synced:t
hubspot.contact id:i property_email:s property_firstname:s property_lastname:s property_phone:s property_mobilephone:s property_company:s property_jobtitle:s property_address:s property_city:s property_state:s property_zip:s property_country:s property_date_of_birth:s property_associatedcompanyid:i property_hs_email_optout:b property_createdate:t property_lastmodifieddate:t _fivetran_deleted:b _fivetran_synced:t
hubspot.company id:i property_name:s property_domain:s property_website:s property_phone:s property_address:s property_city:s property_state:s property_zip:s property_country:s property_industry:s property_numberofemployees:s property_annualrevenue:s property_hs_parent_company_id:i property_createdate:t property_hs_lastmodifieddate:t is_deleted:b _fivetran_synced:t
hubspot.deal deal_id:i property_dealname:s property_amount:s property_closedate:t property_createdate:t property_hs_is_closed:b property_hs_is_closed_won:b deal_pipeline_id:s deal_pipeline_stage_id:s owner_id:i is_deleted:b _fivetran_synced:t
hubspot.deal_company deal_id:i company_id:i type_id:i category:s _fivetran_synced:t
hubspot.deal_pipeline_stage stage_id:s pipeline_id:s label:s closed_won:b is_closed:b probability:f _fivetran_synced:t
hubspot.email_event id:s type:s recipient:s created:t email_campaign_id:i filtered_event:b _fivetran_synced:t
stripe.customer id:s email:s name:s phone:s description:s address_line_1:s address_line_2:s address_city:s address_state:s address_postal_code:s address_country:s metadata:s currency:s livemode:b is_deleted:b created:t _fivetran_synced:t
stripe.charge id:s customer_id:s amount:i amount_refunded:i currency:s status:s paid:b refunded:b captured:b invoice_id:s payment_intent_id:s receipt_email:s description:s livemode:b created:t _fivetran_synced:t
stripe.invoice id:s customer_id:s subscription_id:s total:i amount_due:i amount_paid:i currency:s status:s paid:b number:s period_start:t period_end:t is_deleted:b livemode:b created:t _fivetran_synced:t
stripe.subscription id:s customer_id:s status:s quantity:i start_date:t current_period_start:t current_period_end:t cancel_at:t canceled_at:t ended_at:t livemode:b created:t _fivetran_synced:t
stripe.refund id:s charge_id:s amount:i currency:s status:s reason:s created:t _fivetran_synced:t
shopify.customer id:i email:s first_name:s last_name:s phone:s state:s note:s currency:s orders_count:i total_spent:f verified_email:b email_marketing_consent_state:s email_marketing_consent_opt_in_level:s email_marketing_consent_updated_at:t created_at:t updated_at:t _fivetran_synced:t
shopify.customer_address id:i customer_id:i first_name:s last_name:s name:s company:s address_1:s address_2:s city:s province:s province_code:s zip:s country:s country_code:s phone:s is_default:b _fivetran_synced:t
shopify.order id:i customer_id:i email:s name:s number:i total_price_set_shop_amount:f total_price_set_shop_currency_code:s currency_code:s display_financial_status:s display_fulfillment_status:s cancelled_at:t cancel_reason:s source_name:s test:b customer_accepts_marketing:b shipping_address_first_name:s shipping_address_last_name:s shipping_address_address_1:s shipping_address_city:s shipping_address_zip:s shipping_address_country_code:s shipping_address_phone:s processed_at:t created_at:t updated_at:t _fivetran_deleted:b _fivetran_synced:t
shopify.order_line id:i order_id:i product_id:i variant_id:i sku:s title:s name:s vendor:s quantity:i original_total_set_shop_amount:f total_discount_set_shop_amount:f _fivetran_synced:t
shopify.refund id:i order_id:i note:s total_refunded_set_shop_amount:f total_refunded_set_shop_currency_code:s created_at:t updated_at:t _fivetran_synced:t
segment.identifies id:s anonymous_id:s user_id:s email:s first_name:s last_name:s phone:s context_ip:s context_user_agent:s context_device_type:s context_locale:s timestamp:t original_timestamp:t sent_at:t received_at:t
segment.users id:s email:s first_name:s last_name:s name:s phone:s birthday:s company_name:s title:s address_street:s address_city:s address_state:s address_postal_code:s address_country:s created_at:t received_at:t
segment.pages id:s anonymous_id:s user_id:s name:s title:s path:s url:s referrer:s search:s context_campaign_source:s context_campaign_medium:s context_device_type:s context_ip:s context_user_agent:s timestamp:t original_timestamp:t sent_at:t received_at:t
segment.tracks id:s anonymous_id:s user_id:s event:s event_text:s product_id:s product_name:s category:s order_id:s value:f currency:s context_device_type:s context_ip:s context_user_agent:s timestamp:t original_timestamp:t sent_at:t received_at:t
zendesk.user id:i name:s email:s phone:s role:s organization_id:i external_id:s active:b suspended:b verified:b notes:s details:s locale:s time_zone:s created_at:t updated_at:t last_login_at:t _fivetran_synced:t
zendesk.organization id:i name:s external_id:s details:s notes:s created_at:t updated_at:t _fivetran_synced:t
zendesk.domain_name organization_id:i domain_name:s index:i _fivetran_synced:t
zendesk.ticket id:i requester_id:i submitter_id:i assignee_id:i organization_id:i subject:s status:s priority:s type:s via_channel:s due_at:t created_at:t updated_at:t _fivetran_synced:t
klaviyo.person id:s email:s phone_number:s first_name:s last_name:s organization:s title:s address_1:s address_2:s city:s region:s zip:s country:s custom_birthday:s custom_consent:s custom_consent_method:s custom_consent_timestamp:t custom_consent_form_id:s custom_consent_form_version:s custom_accepts_marketing:b custom_sms_consent:b custom_suppress:b timezone:s created:t updated:t _fivetran_deleted:b _fivetran_synced:t
klaviyo.event id:s person_id:s metric_id:s campaign_id:s flow_id:s type:s datetime:t timestamp:i property_value:s property_url:s property_subject:s property_campaign_name:s uuid:s _fivetran_deleted:b _fivetran_synced:t
klaviyo.metric id:s name:s integration_name:s created:t updated:t _fivetran_deleted:b _fivetran_synced:t
social.lead_form_submission id:s platform:s form_id:s form_name:s campaign_name:s profile_id:s full_name:s first_name:s last_name:s email:s phone_number:s company_name:s job_title:s city:s country:s marketing_opt_in:b submitted_at:t loaded_at:t
social.engagement id:s platform:s profile_id:s profile_handle:s action:s post_id:s post_url:s occurred_at:t loaded_at:t
pos.loyalty_member loyalty_id:s first_name:s last_name:s email:s phone:s birth_date:s street:s city:s region:s postal_code:s country:s home_store_id:s email_opt_in:b sms_opt_in:b post_opt_in:b is_test:b is_deleted:b joined_at:t updated_at:t loaded_at:t
pos.store_transaction transaction_id:s loyalty_id:s store_id:s type:s amount:f currency:s item_count:i payment_method:s occurred_at:t loaded_at:t
pos.store_visit visit_id:s loyalty_id:s store_id:s occurred_at:t loaded_at:t
consent_platform.consent_receipt receipt_id:s identifier_type:s identifier_value:s brand:s purpose:s channel:s action:s legal_basis:s notice_id:s notice_version:s method:s actor:s jurisdiction:s raw_signal:s effective_from:t effective_to:t occurred_at:t loaded_at:t
consent_platform.preference_change change_id:s identifier_type:s identifier_value:s brand:s purpose:s channel:s is_subscribed:b actor:s method:s jurisdiction:s occurred_at:t loaded_at:t
consent_platform.gpc_signal signal_id:s anonymous_id:s user_id:s brand:s is_enabled:b jurisdiction:s user_agent:s occurred_at:t loaded_at:t
"""


def _parse() -> dict[tuple[str, str], Any]:
    out = {}
    for line in _LAYOUT.strip().splitlines():
        name, *columns = line.split()
        source, table = name.split(".")
        pairs = [column.split(":") for column in columns]
        out[source, table] = pa.schema([(column, _TYPES[kind]) for column, kind in pairs])
    return out


# (source, table) -> Arrow schema
SCHEMAS: dict[tuple[str, str], Any] = _parse()
