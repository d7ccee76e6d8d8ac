package ingest_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"laurel/internal/activity"
	"laurel/internal/grants"
	"laurel/internal/ingest"
	"laurel/internal/progress"
	"laurel/internal/store"
)

// shop is an org in which rewards are bought and given.
const shop = economy + `
    rewards:
      - {id: mug, stock: 2, expires: 1h, price: {wallet: coins, points: 4}}
      - {id: pin, price: {wallet: coins, points: 1}}
`

const shopGifts = `
      - {id: present, cost: {wallet: coins, points: 1}, gives: {reward: mug}}
`

func startShop(t *testing.T, o store.Options) (*node, activity.Org) {
	t.Helper()
	n := startNode(t, o)
	n.set(noon)
	org := n.publish(t, replaceOnce(t, shop, "    bounties:", shopGifts[1:]+"    bounties:"))
	n.does(t, org, income("ada", "i", 20), income("bob", "i", 20), income("eve", "i", 20))
	return n, org
}

func coupon(user, id, reward string) ingest.Item {
	return deed(activity.Coupon, user, id, reward, 0, "action", "redeem")
}

func couponBack(user, id, reward, of string) ingest.Item {
	return deed(activity.Coupon, user, id, reward, 0, "action", "refund", "of", of)
}

// refused submits one item that is to be refused with a code.
func (n *node) refused(t *testing.T, org activity.Org, code string, it ingest.Item) {
	t.Helper()
	r, err := n.Submit(t.Context(), org, []ingest.Item{it}, ingest.SubmitOptions{})
	if err != nil || statuses(r)[0] != code {
		t.Errorf("%s: %v, %v; want %s", it.Activity.ID, err, statuses(r), code)
	}
}

func (n *node) has(t *testing.T, org activity.Org, user activity.User, want map[string]grants.Status) {
	t.Helper()
	if diff := cmp.Diff(want, n.grantsOf(t, org, user)); diff != "" {
		t.Errorf("%s (-want +got)\n%s", user, diff)
	}
	n.checkStock(t, org)
}

func TestCoupon_BuyAndGiveBack(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, o store.Options) {
		n, org := startShop(t, o)
		n.does(t, org, coupon("ada", "1", "mug"), coupon("bob", "1", "mug"), coupon("ada", "2", "pin"))
		n.refused(t, org, "out_of_stock", coupon("eve", "1", "mug"))
		n.refused(t, org, "duplicate", coupon("ada", "1", "mug"))
		n.has(t, org, "ada", map[string]grants.Status{"coupon:1": "issued", "coupon:2": "issued"})
		n.expect(t, org, []int64{15, 16, 20}, "ada", "bob", "eve")

		n.does(t, org, couponBack("ada", "3", "mug", "1"))
		n.has(t, org, "ada", map[string]grants.Status{"coupon:2": "issued"})
		n.does(t, org, coupon("eve", "1", "mug"))
		if _, err := n.Reject(t.Context(), org, "ada", "3", ""); !errors.Is(err, ingest.ErrOutOfStock) {
			t.Errorf("the refund is rejected while nothing is left: %v", err)
		}
		n.reject(t, org, "eve", "1")
		n.reject(t, org, "ada", "3")
		n.has(t, org, "ada", map[string]grants.Status{"coupon:1": "issued", "coupon:2": "issued"})
		if _, err := n.Restore(t.Context(), org, "eve", "1"); !errors.Is(err, ingest.ErrOutOfStock) {
			t.Errorf("restored while nothing is left: %v", err)
		}
		n.expect(t, org, []int64{15, 16, 20}, "ada", "bob", "eve")

		if _, err := n.ClaimGrant(t.Context(), org, "ada", "coupon:1"); err != nil {
			t.Fatal(err)
		}
		n.refused(t, org, progress.RefusedUsed, couponBack("ada", "4", "mug", "1"))
		n.set(noon.Add(time.Hour))
		n.refused(t, org, progress.RefusedUsed, couponBack("bob", "4", "mug", "1"))
		n.reject(t, org, "ada", "1") // the points come back, what was bought stays
		n.has(t, org, "ada", map[string]grants.Status{"coupon:1": "expired", "coupon:2": "issued"})
		n.expect(t, org, []int64{19, 16, 20}, "ada", "bob", "eve")
	})
}

func TestGift_OfAReward(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, o store.Options) {
		n, org := startShop(t, o)
		n.does(t, org, gift("ada", "1", "present", "bob"), gift("ada", "2", "present", "eve"))
		n.refused(t, org, "out_of_stock", gift("bob", "1", "present", "eve"))
		n.pump(t)
		n.has(t, org, "bob", map[string]grants.Status{"gift:ada:1": "issued"})
		n.has(t, org, "eve", map[string]grants.Status{"gift:ada:2": "issued"})
		if by := n.grant(t, org, "bob", "gift:ada:1").By; by != "gift:ada" {
			t.Errorf("by is %q", by)
		}
		if _, err := n.ClaimGrant(t.Context(), org, "eve", "gift:ada:2"); err != nil {
			t.Fatal(err)
		}
		n.reject(t, org, "ada", "1")
		n.reject(t, org, "ada", "2")
		n.pump(t)
		n.has(t, org, "bob", map[string]grants.Status{})
		n.has(t, org, "eve", map[string]grants.Status{"gift:ada:2": "claimed"})
		n.does(t, org, gift("bob", "1", "present", "eve"))
		if _, err := n.Restore(t.Context(), org, "ada", "1"); !errors.Is(err, ingest.ErrOutOfStock) {
			t.Errorf("restored while nothing is left: %v", err)
		}
		n.reject(t, org, "bob", "1")
		n.pump(t)
		n.restore(t, org, "ada", "1")
		n.pump(t)
		n.has(t, org, "bob", map[string]grants.Status{"gift:ada:1": "issued"})
		n.reject(t, org, "ada", "1")
		n.restore(t, org, "ada", "1")
		n.pump(t)
		n.has(t, org, "bob", map[string]grants.Status{"gift:ada:1": "issued"})
	})
}

func replaceOnce(t *testing.T, s, old, with string) string {
	t.Helper()
	if strings.Count(s, old) != 1 {
		t.Fatalf("%q is there %d times", old, strings.Count(s, old))
	}
	return strings.Replace(s, old, with, 1)
}
