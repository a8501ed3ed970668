/** What the routes of figures answer. */

export interface PlaceSum {
  name: string;
  receipts: number;
  total_kopecks: number;
}

/** What waits for a person. */
export interface Open {
  number: number;
  since: string | null;
  late: boolean;
}

export interface Figures {
  days: {
    day: string;
    members: number;
    receipts: Record<string, number>;
    accrued: number;
    spent: number;
    expired: number;
  }[];
  channels: PlaceSum[];
  shops: PlaceSum[];
  sources: {
    source: string;
    campaign: string | null;
    scans: number;
    enrolled: number;
    accepted: number;
  }[];
  waiting: { lines: number; since: string | null; late: boolean };
  held: Open;
  disputes: Open;
  troubles: Record<string, number>;
  providers: {
    name: string;
    status: string;
    left: number | null;
    today: { asked: number };
  }[];
}
